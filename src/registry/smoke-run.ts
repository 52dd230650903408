import { BadSavedModelError, GoldenMismatchError, InferenceError } from '../errors.ts'
import { TensorFlowError, type LoadedSavedModel, type Signature, type TensorValue } from '../tensorflow/index.ts'
import { checkLabels } from './complete-manifest.ts'
import { differenceFrom, fromGoldenTensor } from './golden.ts'
import { madeUpInputs, shapesOf, takesBatches } from './made-up-inputs.ts'
import type { Manifest } from './manifest.ts'
import { correctOutputs, type Signatures } from './serving-signatures.ts'
import { cleanReason } from './tensorflow-reason.ts'

/** A loaded SavedModel that is to prove itself before it serves. */
export interface Candidate {
  readonly loaded: Pick<LoadedSavedModel, 'directory' | 'run'> & Partial<Pick<LoadedSavedModel, 'session'>>
  readonly signatures: Signatures
  readonly manifest: Manifest
  readonly manifestPath: string
}

/** A made-up input's values may be what these complain of. */
const INPUT_FAULTS = new Set(['INVALID_ARGUMENT', 'OUT_OF_RANGE'])
/** The machine's state, not the model's. */
const PASSING_FAULTS = new Set(['RESOURCE_EXHAUSTED', 'UNAVAILABLE', 'ABORTED', 'CANCELLED'])
/** TensorFlow reports an operation that it can not run on this machine as an invalid argument too. */
const NO_KERNEL = /No OpKernel was registered|No registered '\w+' OpKernel/

/**
 * Runs the manifest's golden inputs. Those of a signature that changes state are left alone.
 *
 * @throws GoldenMismatchError for the first output that is not as recorded
 * @throws BadManifestError if what is recorded can not be read
 */
export async function runGolden ({ loaded, signatures, manifest, manifestPath }: Candidate): Promise<void> {
  const signature = signatures[manifest.signature ?? '']
  if (signature?.changesState === true) return
  for (const [index, { inputs, outputs, tolerance }] of (manifest.golden ?? []).entries()) {
    if (signature === undefined) throw new GoldenMismatchError(`/golden/${index} has no signature to run`)
    const read = (side: typeof inputs, place: string): Record<string, TensorValue> => Object.fromEntries(
      Object.entries(side).map(([name, tensor]) => [name, fromGoldenTensor(manifestPath, `/golden/${index}/${place}/${name}`, tensor)]))
    const recorded = read(outputs, 'outputs')
    const found = await loaded.run(signature.name, read(inputs, 'inputs'), Object.keys(recorded)).catch((error: unknown) => {
      throw new GoldenMismatchError(`/golden/${index} can not be run: ${cleanReason((error as Error).message)}`)
    })
    for (const [name, expected] of Object.entries(recorded)) {
      const difference = differenceFrom(expected, found[name]!, tolerance)
      if (difference !== undefined) throw new GoldenMismatchError(`/golden/${index}: output "${name}" ${difference}`)
    }
  }
}

/**
 * Runs every signature that changes no state once with made-up inputs, and the manifest's with every batch size that it names:
 * TensorFlow optimizes, allocates and compiles at the first run. Opens output dimensions that were declared wrongly.
 *
 * @returns notes on what could not be found out
 * @throws BadSavedModelError if a signature can not run at all
 * @throws BadManifestError if labels and output disagree
 */
export async function smokeRun (candidate: Candidate, signal: AbortSignal): Promise<string[]> {
  const notes: string[] = []
  for (const signature of Object.values(candidate.signatures)) {
    if (signature.changesState) continue
    signal.throwIfAborted()
    const isManifests = signature.name === candidate.manifest.signature
    const outputs = await runOnce(candidate, signature, 1, notes)
    if (outputs === undefined) continue
    notes.push(...correctOutputs(signature, outputs))
    if (!isManifests) continue
    checkClasses(candidate, outputs)
    await warm(candidate, signature, signal, notes)
  }
  return notes
}

async function warm (candidate: Candidate, signature: Signature, signal: AbortSignal, notes: string[]): Promise<void> {
  if (!takesBatches(signature)) return
  for (const rows of new Set(candidate.manifest.batchSizes)) {
    signal.throwIfAborted()
    if (rows > 1) await runOnce(candidate, signature, rows, notes)
  }
}

function checkClasses ({ manifest, manifestPath }: Candidate, outputs: Readonly<Record<string, TensorValue>>): void {
  const ranked = outputs[manifest.output ?? '']
  if (ranked !== undefined) checkLabels(manifestPath, manifest, ranked.shape.at(-1))
}

/** @returns undefined where made-up inputs can not tell, which is noted */
async function runOnce ({ loaded, manifest }: Candidate, signature: Signature, rows: number, notes: string[]): Promise<Record<string, TensorValue> | undefined> {
  const inputs = madeUpInputs(signature, rows, shapesOf(signature, manifest))
  if (inputs === undefined) {
    notes.push(`signature "${signature.name}" was not tried: its inputs are too large to make up`)
    return undefined
  }
  try {
    return await loaded.run(signature.name, inputs)
  } catch (error) {
    notes.push(inconclusive(loaded.directory, signature.name, rows, error))
    return undefined
  }
}

function inconclusive (directory: string, signatureName: string, rows: number, error: unknown): string {
  if (!(error instanceof TensorFlowError)) throw error
  const reason = cleanReason(error.message)
  if (PASSING_FAULTS.has(error.code)) throw new InferenceError(directory, reason)
  if (!INPUT_FAULTS.has(error.code) || NO_KERNEL.test(error.message)) throw new BadSavedModelError(directory, `signature "${signatureName}" can not run: ${reason}`)
  return `signature "${signatureName}" could not be tried with made-up inputs of ${rows === 1 ? '1 row' : `${rows} rows`}: ${reason}`
}
