import { stackRows, takeRows } from '../batching/rows.ts'
import { InferenceError } from '../errors.ts'
import type { ModelVersion } from '../registry/model-version.ts'
import type { Signature, TensorValue } from '../tensorflow/index.ts'
import type { Place } from './models.ts'
import type { Trace } from './trace.ts'

/** Rows that go into one run where the signature leaves their number open but can not be batched. */
const MAX_ROWS = 64

export interface RowRun {
  readonly version: ModelVersion
  /** Default: the manifest's. */
  readonly signature?: Signature | undefined
  /** Number tensors whose first side is the rows. */
  readonly inputs: Readonly<Record<string, TensorValue>>
  readonly rows: number
  readonly terms: Place['terms']
  readonly trace: Trace
}

/**
 * Runs rows through the manifest's signature and gives its ranked output: all at once where the signature is batched, up to 64 at a time where it takes
 * any number of rows all the same, else in runs of the number that it is fixed to, the last one filled up by repeating a row.
 *
 * @throws what `ModelVersion.run` throws; InferenceError if the output has not a row for each row
 */
export async function runRows ({ version, signature: given, inputs, rows, terms, trace }: RowRun): Promise<TensorValue> {
  const { signature: named = '', output = '' } = version.manifest
  const signature = given ?? version.signatures[named]
  if (signature === undefined) throw new Error(`The manifest of ${version.model} names signature "${named}", which is not there. This is a bug.`)
  const { name } = signature
  const fixed = fixedRows(signature)
  const most = fixed ?? (version.isBatched(name) ? rows : MAX_ROWS)
  const parts: TensorValue[] = []
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first)
    const batch = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, takeRows(tensor, first, count, fixed ?? count)]))
    const result = await version.run(name, batch, { outputs: [output], ...terms })
    trace.add('queue', result.queueMs)
    trace.add('infer', result.inferMs)
    parts.push(rankedOutput(result.outputs[output], count, fixed ?? count, version.model))
  }
  return parts.length === 1 ? parts[0]! : stackRows(parts)
}

/** The number of rows that every run has to have; undefined where it is free. */
function fixedRows ({ inputs }: Signature): number | undefined {
  return Object.values(inputs).map(({ shape }) => shape?.[0]).find(side => side !== undefined && side > 0)
}

function rankedOutput (output: TensorValue | undefined, count: number, size: number, model: string): TensorValue {
  if (output?.shape[0] !== size) throw new InferenceError(model, `it gave an output of shape [${output?.shape.join(', ') ?? ''}] for ${size} rows`)
  return count === size ? output : takeRows(output, 0, count, count)
}
