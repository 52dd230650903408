import { allocateArray, dtypeSizeBytes, elementCount, isValueDType, type NumericArray, type Signature, type TensorValue, type ValueDType } from '../tensorflow/index.ts'
import { bucketLengths } from '../text/length-buckets.ts'
import type { Manifest } from './manifest.ts'

/** Inputs larger than this together are not made up. */
const MAX_BYTES = 512 * 1024 * 1024

/** Shapes that inputs really have, by name: the manifest may know more than the signature. */
export type KnownShapes = Readonly<Record<string, readonly number[]>>

/** What the manifest says of its signature's inputs; −1 for rows. */
export function knownShapes ({ input, image, text }: Manifest): KnownShapes {
  if (image !== undefined && input !== undefined) return { [input]: [-1, image.height, image.width, image.channels] }
  if (text === undefined) return {}
  return Object.fromEntries(Object.values(text.inputs).map(name => [name, [-1, text.length]]))
}

/** What is known of a signature's inputs: only the manifest's own are described. */
export function shapesOf ({ name }: Pick<Signature, 'name'>, manifest: Manifest): KnownShapes {
  return name === manifest.signature ? knownShapes(manifest) : {}
}

/** Those of shorter texts, where they are not padded to the longest: for each length but that, in ascending order. */
export function shorterShapes ({ name }: Pick<Signature, 'name'>, { signature, text }: Manifest): KnownShapes[] {
  if (name !== signature || text?.padTo !== 'longest') return []
  return bucketLengths(text.length).slice(0, -1).map(length => Object.fromEntries(Object.values(text.inputs).map(input => [input, [-1, length]])))
}

/**
 * Zeros and empty strings of the signature's types.
 *
 * @param rows size of a free first dimension; other free dimensions are 1, an open rank is [rows]
 * @returns undefined if they would be larger than 512 MiB
 */
export function madeUpInputs ({ inputs }: Pick<Signature, 'inputs'>, rows: number, known: KnownShapes = {}): Record<string, TensorValue> | undefined {
  const shapes = Object.entries(inputs).map(([name, { dtype, shape }]) => {
    if (!isValueDType(dtype)) throw new Error(`Input ${name} has type ${dtype}. This is a bug.`)
    return { name, dtype, shape: madeUpShape(known[name] ?? shape ?? [-1], rows) }
  })
  const bytes = shapes.reduce((sum, { dtype, shape }) => sum + elementCount(shape) * Math.max(1, dtypeSizeBytes(dtype)), 0)
  if (bytes > MAX_BYTES) return undefined
  return Object.fromEntries(shapes.map(({ name, dtype, shape }) => [name, zeros(dtype, shape)]))
}

/**
 * As `madeUpInputs`, but numbers from 0 to 1, whole numbers 0 and 1, pixels 0 to 255, always the same: rows that differ, of values that most models
 * take.
 */
export function variedInputs (signature: Pick<Signature, 'inputs'>, rows: number, known: KnownShapes = {}): Record<string, TensorValue> | undefined {
  const inputs = madeUpInputs(signature, rows, known)
  for (const { dtype, data } of Object.values(inputs ?? {})) if (dtype !== 'string') vary(dtype, data as NumericArray)
  return inputs
}

/** Knuth's multiplicative hash of the place: no two rows alike. */
function vary (dtype: ValueDType, data: NumericArray): void {
  for (let index = 0; index < data.length; index++) {
    const hash = Math.imul(index + 1, 2654435761) >>> 0
    if (dtype === 'float32' || dtype === 'float64') data[index] = hash / 2 ** 32
    else if (dtype === 'uint8') data[index] = hash >>> 24
    else if (dtype === 'int64' || dtype === 'uint64') data[index] = BigInt(hash >>> 31)
    else if (dtype !== 'float16' && dtype !== 'bfloat16') data[index] = hash >>> 31
  }
}

/** Whether every input has its rows along a free first dimension. */
export function takesBatches ({ inputs }: Signature): boolean {
  const shapes = Object.values(inputs).map(({ shape }) => shape)
  return shapes.length > 0 && shapes.every(shape => shape?.[0] === -1)
}

function madeUpShape (shape: readonly number[], rows: number): number[] {
  return shape.map((side, axis) => side !== -1 ? side : axis === 0 ? rows : 1)
}

function zeros (dtype: ValueDType, shape: readonly number[]): TensorValue {
  const count = elementCount(shape)
  if (dtype === 'string') return { dtype, shape, data: new Array<Uint8Array>(count).fill(new Uint8Array(0)) }
  return { dtype, shape, data: allocateArray(dtype, count) }
}
