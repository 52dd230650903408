import { realpath } from 'node:fs/promises'
import type { Stacked } from '../batching/run-request.ts'
import { BadSavedModelError } from '../errors.ts'
import {
  loadSavedModel, readSavedModel, releaseFreed, releaseMemory, type LoadedSavedModel, type MetaGraph, type RunnableModel, type SavedModelDescription, type SessionOptions, type Signature, type TensorValue
} from '../tensorflow/index.ts'
import { calibrate, UNCALIBRATED, type Calibration, type CalibrationLimits } from './calibrate.ts'
import { chooseEngine } from './engines.ts'
import { addPixelInput, PIXELS_SIGNATURE } from './pixel-input.ts'
import { checkLabels, completeManifest } from './complete-manifest.ts'
import { deriveManifest } from './derive-manifest.ts'
import type { EngineOptions, Manifest } from './manifest.ts'
import { areAlike, likenessOf, type Likeness } from './likeness.ts'
import { readManifest, verifyFiles, verifyTokenizer, type ReadManifest } from './read-manifest.ts'
import { servingSignatures, type Signatures } from './serving-signatures.ts'
import { runGolden, smokeRun, type Candidate } from './smoke-run.ts'

/** A version in TensorFlow's memory that has proved itself. Its maker disposes it when nothing runs any more. */
export interface LoadedVersion {
  /** The version's directory with every link resolved: it stays the same when a link is turned elsewhere. */
  readonly directory: string
  readonly manifest: Manifest
  readonly signatures: Signatures
  /** As `CPU:0`, `GPU:0`. */
  readonly devices: readonly string[]
  /** What was found odd and did not matter enough to refuse the version. */
  readonly notes: readonly string[]
  /** How its signatures are run best. */
  readonly calibration: Calibration
  /** Undefined where nothing was measured. */
  readonly likeness?: Likeness | undefined
  /** The manifest's signature with pixels for input, where photos are scaled in the graph though the model wants floats. Not for clients to name. */
  readonly pixels?: Signature | undefined
  run (signature: string, inputs: Stacked, outputs?: readonly string[]): Promise<Record<string, TensorValue>>
  dispose (): Promise<void>
}

/** What was found of a version when it was loaded. */
export interface MeasuredVersion {
  readonly version: number
  readonly likeness: Likeness
  readonly calibration: Calibration
}

export interface LoadVersionOptions {
  readonly session?: SessionOptions | undefined
  /** On a GPU XLA is tried too, where the session does without. */
  readonly triesXla?: boolean | undefined
  /** Left out, nothing is measured, and every request runs alone. */
  readonly calibrate?: CalibrationLimits | undefined
  /** The version that serves meanwhile: what was measured of it is taken over where this one is alike. */
  readonly previous?: MeasuredVersion | undefined
  /** Gives up between two steps. */
  readonly signal: AbortSignal
  /** Files are read and variables restored; what follows are runs. */
  readonly onWarming: () => void
}

/** Brings a version's directory into memory. @throws what is wrong with it; nothing of it stays in memory */
export type LoadVersion = (directory: string, options: LoadVersionOptions) => Promise<LoadedVersion>

/**
 * Loads a version off the event loop, and only gives it when everything that can be found out beforehand is in order: files and
 * manifest, variables, the recorded inputs, a run of every signature that changes no state.
 *
 * @throws BadSavedModelError, BadManifestError, GoldenMismatchError
 */
export const loadVersion: LoadVersion = async (linkedDirectory, general) => {
  const { signal } = general
  const directory = await realpath(linkedDirectory)
  const given = await readManifest(linkedDirectory)
  if (given !== undefined) {
    await verifyFiles(directory, given)
    await verifyTokenizer(directory, given)
  }
  const options = withEngineOptions(general, given?.manifest.engine)
  const { session } = options
  const description = await readSavedModel(directory)
  const metaGraph = servingGraph(description)
  signal.throwIfAborted()
  const loaded = await loadSavedModel(directory, { tags: metaGraph.tags, description, ...(session !== undefined && { session }) })
  try {
    return await prove(loaded, metaGraph, given, options)
  } catch (error) {
    await dispose([loaded])
    throw error
  }
}

/** What the manifest asks for goes before what holds for all versions. */
function withEngineOptions (options: LoadVersionOptions, { threads, runsInFlight, xla, precision }: EngineOptions = {}): LoadVersionOptions {
  const asked: SessionOptions = {
    ...(threads !== undefined && { intraOpThreads: threads }),
    ...(xla !== undefined && { xla: xla === true }),
    ...(precision !== undefined && { bfloat16: precision === 'bfloat16' })
  }
  const { calibrate } = options
  return {
    ...options,
    session: { ...options.session, ...asked },
    triesXla: xla === undefined ? options.triesXla : xla === 'auto',
    calibrate: calibrate && { ...calibrate, concurrency: runsInFlight ?? calibrate.concurrency }
  }
}

async function prove (loaded: LoadedSavedModel, metaGraph: MetaGraph, given: ReadManifest | undefined, options: LoadVersionOptions): Promise<LoadedVersion> {
  const { signal, onWarming } = options
  const { directory } = loaded
  await refuseMissingVariables(loaded)
  const { signatures, notes } = servingSignatures(loaded.signatures, loaded.graph)
  const unusable = Object.entries(metaGraph.unusable).map(([name, reason]) => `signature "${name}" is not served: ${reason}`)
  if (Object.keys(signatures).length === 0) throw new BadSavedModelError(directory, ['has no signature that can be served', ...unusable].join('; '))
  const manifestPath = given?.path ?? directory
  const manifest = completeManifest(manifestPath, given?.manifest ?? deriveManifest(signatures), signatures)
  checkLabels(manifestPath, manifest, signatures[manifest.signature ?? '']?.outputs[manifest.output ?? '']?.shape?.at(-1))
  signal.throwIfAborted()
  onWarming()
  const candidate = { loaded, signatures, manifest, manifestPath }
  await runGolden(candidate)
  const found = await smokeRun(candidate, signal)
  const devices = loaded.session.devices().map(({ name }) => name.replace(/^.*\/device:/, ''))
  const tuned = options.calibrate === undefined ? untuned(candidate) : await tune(candidate, loaded, { ...options, calibrate: options.calibrate })
  return {
    directory,
    manifest,
    signatures,
    devices,
    ...tuned,
    notes: [...unusable, ...notes, ...found, ...tuned.notes]
  }
}

/** What a version is run by. */
type Tuned = Pick<LoadedVersion, 'calibration' | 'likeness' | 'pixels' | 'run' | 'dispose' | 'notes'>

function untuned ({ loaded }: Candidate & { loaded: LoadedSavedModel }): Tuned {
  return { calibration: UNCALIBRATED, notes: [], run: async (signature, inputs, outputs) => await loaded.run(signature, inputs, outputs), dispose: async () => { await dispose([loaded]) } }
}

/** Finds out what runs the version fastest, and how. What is not needed any more is freed. */
async function tune (candidate: Candidate, loaded: LoadedSavedModel, { calibrate: limits, session = {}, triesXla = false, previous, signal }: LoadVersionOptions & { calibrate: CalibrationLimits }): Promise<Tuned> {
  const startedAt = performance.now()
  const isGpu = loaded.session.devices().some(({ type }) => type === 'GPU')
  const likeness = await likenessOf(candidate, session)
  const alike = alikeOf(previous, likeness)
  const { engine, trials, isKnown, notes } = await chooseEngine(candidate, loaded, { session, triesXla: triesXla && isGpu, known: alike?.calibration, signal })
  const known = isKnown ? alike : undefined
  try {
    const pixels = await addPixelInput(engine, candidate.manifest)
    const run: LoadedVersion['run'] = async (signature, inputs, outputs) =>
      await (signature === PIXELS_SIGNATURE && pixels !== undefined ? pixels : engine.model).run(signature, inputs, outputs)
    const signatures = { ...candidate.signatures, ...(pixels !== undefined && { [PIXELS_SIGNATURE]: pixels.signature }) }
    const running = { ...candidate, loaded: { directory: loaded.directory, session: engine.model.session, run }, signatures }
    const measured = await calibrate(running, { ...limits, ...engine.choice, known: known?.calibration }, signal)
    await releaseMemory()
    const calibration = { ...measured, engine: engine.choice, engines: trials, tookMs: performance.now() - startedAt, takenFrom: known && originOf(known) }
    return { calibration, likeness, pixels: pixels?.signature, notes: [...notes, ...xlaNotes(session, isGpu)], run, dispose: async () => { await dispose([engine.model]) } }
  } catch (error) {
    await engine.model.dispose()
    throw error
  }
}

function alikeOf (previous: MeasuredVersion | undefined, likeness: Likeness): MeasuredVersion | undefined {
  return previous !== undefined && areAlike(previous.likeness, likeness) ? previous : undefined
}

/** The version that was really measured. */
function originOf ({ version, calibration }: MeasuredVersion): number {
  return calibration.takenFrom ?? version
}

/** On a CPU, what XLA compiles of itself has to be asked for by TF_XLA_FLAGS, and is several times as slow. @see https://www.tensorflow.org/xla */
function xlaNotes ({ xla }: SessionOptions, isGpu: boolean): string[] {
  return xla && !isGpu ? ['it is not compiled by XLA: TensorFlow does that on a GPU only'] : []
}

/** The graph that is tagged to be served, best without another tag. */
function servingGraph ({ directory, metaGraphs }: SavedModelDescription): MetaGraph {
  const serving = metaGraphs.filter(({ tags }) => tags.includes('serve')).sort((a, b) => a.tags.length - b.tags.length)
  if (serving[0] !== undefined) return serving[0]
  throw new BadSavedModelError(directory, `has no graph tagged "serve"; it has: ${metaGraphs.map(({ tags }) => `[${tags.join(', ')}]`).join(', ')}`)
}

async function refuseMissingVariables (loaded: LoadedSavedModel): Promise<void> {
  const missing = await loaded.missingVariables()
  if (missing.length === 0) return
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
  throw new BadSavedModelError(loaded.directory, `has no values for its variables ${missing.slice(0, 3).join(', ')}${more}: variables/ is missing or incomplete`)
}

async function dispose (models: readonly RunnableModel[]): Promise<void> {
  for (const model of models) await model.dispose()
  await releaseFreed()
}
