import { availableParallelism } from 'node:os'
import type { SignatureBatching } from '../batching/run-request.ts'
import { TensorFlowError, type LoadedSavedModel, type Signature } from '../tensorflow/index.ts'
import { findSizes, type SizeTime } from './batch-sizes.ts'
import { knownShapes, shapesOf, shorterShapes, variedInputs, type KnownShapes } from './made-up-inputs.ts'
import { mainSignature } from './main-signature.ts'
import { asSaved, type EngineChoice } from './make-engine.ts'
import { PIXELS_SIGNATURE } from './pixel-input.ts'
import { probeBatching } from './probe-batching.ts'
import { inFlightCandidates, runsPerSecond } from './run-rate.ts'
import type { Candidate } from './smoke-run.ts'
import type { EngineTrial } from './try-engine.ts'

/** What may be chosen. */
export interface CalibrationLimits {
  /** Rows of the largest run. */
  readonly maxRows: number
  /** Runs in flight, decided by the operator; undefined: the number that measures best. */
  readonly concurrency: number | undefined
}

/** What is known of the engine. */
export interface EngineLimits extends CalibrationLimits {
  /** TensorFlow's threads inside one operation. */
  readonly threads: number
  /** The first run of each size takes seconds: that is to be so, and does not count as time for measuring. */
  readonly xla: boolean
  /** What was measured of a version alike: its sizes are run so that TensorFlow knows them, and nothing is tried. */
  readonly known?: Measured | undefined
}

/** How a version is run on this machine, and what was measured to find out. */
export interface Calibration extends Measured {
  /** What runs it. */
  readonly engine: EngineChoice
  /** Those that were tried, with what they gave in a second. */
  readonly engines: readonly EngineTrial[]
  /** Milliseconds that all of it took. */
  readonly tookMs: number
  /** The version that it was measured with, where that was alike: the same but for its weights, as far as can be seen. */
  readonly takenFrom?: number | undefined
}

/** What was measured of the engine that runs a version. */
export interface Measured {
  readonly batching: Readonly<Record<string, SignatureBatching>>
  readonly runsInFlight: number
  /** Of the manifest's signature, or the first that is batched: milliseconds of a run of each size. */
  readonly sizes: readonly SizeTime[]
  /** Rows a second at the largest size, for each number of runs in flight that was tried. */
  readonly inFlight: readonly { readonly runs: number, readonly rowsPerSecond: number }[]
}

/** Of a version that was not measured: every request runs alone. */
export const UNCALIBRATED: Calibration = {
  batching: {}, runsInFlight: Math.min(4, availableParallelism()), sizes: [], inFlight: [], engine: asSaved(), engines: [], tookMs: 0
}

/** Milliseconds for the sizes of the signature that matters most, and of each other. */
const [MAIN_BUDGET_MS, OTHER_BUDGET_MS] = [400, 100]
/** Longest run, milliseconds: another model's rows, and a row that came too late for this run, wait for it. */
const MAX_RUN_MS = 250
/** Milliseconds for each number of runs in flight. */
const IN_FLIGHT_MS = 40
/** How much more a further run in flight has to bring. */
const IN_FLIGHT_GAIN = 1.05

type Run = LoadedSavedModel['run']

/**
 * Finds out how a version's signatures are run best, by running them: which take rows of several requests, in which sizes, and how many runs at once.
 * Every size that is given has been run, so no client meets it first.
 */
export async function calibrate (candidate: Candidate, limits: EngineLimits, signal: AbortSignal): Promise<Measured> {
  const main = mainSignature(candidate.signatures, candidate.manifest)
  const batching: Record<string, SignatureBatching> = {}
  let sizes: readonly SizeTime[] = []
  let inFlight: Measured['inFlight'] = []
  for (const signature of Object.values(candidate.signatures)) {
    signal.throwIfAborted()
    const found = await sizesOf(candidate, signature, limits, signature === main ? MAIN_BUDGET_MS : OTHER_BUDGET_MS)
    batching[signature.name] = Array.isArray(found) ? { kind: 'batched', sizes: found.map(({ size }) => size) } : found
    if (Array.isArray(found)) await warmShorter(candidate, signature, found)
    if (signature !== main || !Array.isArray(found)) continue
    sizes = found
    inFlight = limits.concurrency === undefined ? limits.known?.inFlight ?? await timeInFlight(candidate, signature, found.at(-1)!, limits.threads) : []
  }
  const runsInFlight = limits.concurrency ?? bestInFlight(inFlight)
  return { batching, runsInFlight, sizes, inFlight }
}

async function sizesOf (candidate: Candidate, signature: Signature, { maxRows, xla, known: measured }: EngineLimits, budgetMs: number): Promise<SizeTime[] | Extract<SignatureBatching, { kind: 'alone' }>> {
  const { loaded, manifest } = candidate
  const known = rowShapes(signature, manifest)
  const verdict = await probeBatching(loaded, signature, known)
  if (!('isBatched' in verdict)) return verdict
  const runRows = async (rows: number): Promise<boolean> => await runOf(loaded.run.bind(loaded), signature, rows, known)
  if (manifest.batchSizes !== undefined && isManifests(signature, manifest)) return await warmSizes(runRows, manifest.batchSizes)
  const alike = measured?.batching[signature.name]
  if (alike?.kind === 'batched') return await warmSizes(runRows, alike.sizes)
  return await findSizes(runRows, { maxRows, budgetMs: xla ? Infinity : budgetMs, maxRunMs: MAX_RUN_MS }, () => performance.now())
}

/** Sizes that the manifest names, or that a version alike has, are taken as they are. */
async function warmSizes (run: (rows: number) => Promise<boolean>, sizes: readonly number[]): Promise<SizeTime[]> {
  const times: SizeTime[] = []
  for (const size of [...new Set(sizes)].sort((a, b) => a - b)) {
    await run(size)
    const startedAt = performance.now()
    await run(size)
    times.push({ size, runMs: performance.now() - startedAt })
  }
  return times
}

/** Shorter texts come in shapes of their own: no client is to meet one first. What TensorFlow refuses there is to be heard by who sends it. */
async function warmShorter ({ loaded, manifest }: Candidate, signature: Signature, sizes: readonly SizeTime[]): Promise<void> {
  try {
    for (const known of shorterShapes(signature, manifest)) for (const { size } of sizes) await runOf(loaded.run.bind(loaded), signature, size, known)
  } catch (error) {
    if (!(error instanceof TensorFlowError)) throw error
  }
}

function isManifests ({ name }: Signature, { signature }: Candidate['manifest']): boolean {
  return name === signature || name === PIXELS_SIGNATURE
}

function rowShapes (signature: Signature, manifest: Candidate['manifest']): KnownShapes {
  return signature.name === PIXELS_SIGNATURE ? knownShapes(manifest) : shapesOf(signature, manifest)
}

async function runOf (run: Run, signature: Signature, rows: number, known: KnownShapes): Promise<boolean> {
  const inputs = variedInputs(signature, rows, known)
  if (inputs === undefined) return false
  await run(signature.name, inputs)
  return true
}

async function timeInFlight ({ loaded, manifest }: Candidate, signature: Signature, { size, runMs }: SizeTime, threads: number): Promise<Measured['inFlight']> {
  const inputs = variedInputs(signature, size, rowShapes(signature, manifest))!
  const found: { runs: number, rowsPerSecond: number }[] = []
  for (const runs of inFlightCandidates(loaded.session, { threads, runMs })) {
    found.push({ runs, rowsPerSecond: size * await runsPerSecond(async () => await loaded.run(signature.name, inputs), runs, IN_FLIGHT_MS) })
  }
  return found
}

/** The fewest that bring nearly the most. Pure. */
function bestInFlight (tried: Measured['inFlight']): number {
  let best = tried[0]
  for (const candidate of tried) if (best !== undefined && candidate.rowsPerSecond > IN_FLIGHT_GAIN * best.rowsPerSecond) best = candidate
  return best?.runs ?? UNCALIBRATED.runsInFlight
}
