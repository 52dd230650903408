import { isDeepStrictEqual } from 'node:util'
import { BadCheckpointError } from '../errors.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import type { CallbackState } from './callbacks/callback.ts'
import type { History } from './history.ts'
import type { LearnerState } from './learner.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'

/** What has to be the same for a run to go on as if it had not been interrupted. */
export interface RunIdentity {
  readonly seed: number
  readonly batchSize: number
  readonly rows: number
  readonly shuffle: boolean
}

/** Everything that the rest of a run depends on. */
export interface TrainingState {
  readonly identity: RunIdentity
  readonly learner: LearnerState
  readonly epoch: number
  /** Rows of the epoch that are learned. */
  readonly rowsDone: number
  /** Sums behind the epoch's means so far. */
  readonly sums: readonly number[]
  /** Whether a callback has ended the run. */
  readonly isEnded: boolean
  readonly history: History
  /** Of those that remember something, in their order. */
  readonly callbacks: readonly { readonly name: string, readonly state: CallbackState }[]
}

const METADATA = 'tensorport.training'

/** Writes a file that is there whole or not at all. */
export async function writeTrainingState (path: string, { learner, callbacks, ...rest }: TrainingState): Promise<void> {
  const tensors = new Map<string, TensorValue>()
  learner.variables.forEach((value, index) => { tensors.set(`variables/${index}`, value) })
  callbacks.forEach(({ state }, callback) => state.tensors?.forEach((value, index) => { tensors.set(`callbacks/${callback}/${index}`, value) }))
  const json = {
    ...rest,
    learner: { steps: learner.steps, learningRate: learner.learningRate },
    callbacks: callbacks.map(({ name, state }) => ({ name, state: { values: state.values } }))
  }
  await writeSafetensors(path, { tensors, metadata: { [METADATA]: toJson(json) } })
}

/**
 * @param identity of the run that is to go on; left out, it does not matter
 * @throws BadCheckpointError if there is no such file, another program wrote it, or it is of another run
 */
export async function readTrainingState (path: string, identity?: RunIdentity): Promise<TrainingState> {
  const { tensors, metadata } = await readSafetensors(path).catch((error: Error) => { throw unusable(path, error) })
  const text = metadata[METADATA]
  if (text === undefined) throw new BadCheckpointError(path, 'it is no checkpoint of a training run')
  const state = fromJson(text) as TrainingState
  if (identity !== undefined && !isDeepStrictEqual(state.identity, identity)) {
    throw new BadCheckpointError(path, `it is of another run: ${describe(state.identity)} there, ${describe(identity)} here`)
  }
  return {
    ...state,
    learner: { ...state.learner, variables: listed(tensors, 'variables') },
    callbacks: state.callbacks.map(({ name, state }, index) => ({ name, state: { ...state, tensors: listed(tensors, `callbacks/${index}`) } }))
  }
}

/** What is thrown where a checkpoint can not be used, with the reason. */
export function unusable (path: string, reason: Error): Error {
  return Object.assign(new BadCheckpointError(path, reason.message), { cause: reason })
}

/** `name/0`, `name/1`, … */
function listed (tensors: ReadonlyMap<string, TensorValue>, name: string): TensorValue[] {
  const found: TensorValue[] = []
  for (let value = tensors.get(`${name}/0`); value !== undefined; value = tensors.get(`${name}/${found.length}`)) found.push(value)
  return found
}

function describe ({ seed, batchSize, rows, shuffle }: RunIdentity): string {
  return `seed ${seed}, batch size ${batchSize}, ${rows} rows${shuffle ? '' : ', not shuffled'}`
}

/** JSON has no NaN and no infinity: a figure may be either. */
function toJson (value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => typeof item === 'number' && !Number.isFinite(item) ? { number: String(item) } : item)
}

function fromJson (text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) => isNumber(item) ? Number(item.number) : item)
}

function isNumber (item: unknown): item is { number: string } {
  return typeof item === 'object' && item !== null && Object.keys(item).join() === 'number'
}
