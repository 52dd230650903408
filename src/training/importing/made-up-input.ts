import { elementCount, allocateArray, type Output, type TensorValue, type ValueDType } from '../../tensorflow/index.ts'
import type { GoldenInput } from '../golden-inputs.ts'
import type { Predictor } from '../predictor.ts'
import type { ModelShape } from './imported-model.ts'

/** A length that the sides of no picture are a multiple of, so that rows differ. */
const PATTERN_LENGTH = 251
/** More numbers than these do not belong into a manifest. */
const MAX_RECORDED = 20_000

/**
 * One row of numbers that stand for nothing, for a version to show that it still answers as when it was imported: tokens where the model
 * knows tokens, 0 to 255 where it takes bytes, else 0 to 1.
 *
 * @returns none if the model leaves a side open, or its answer is too long to be recorded
 */
export function madeUpInputs ({ inputs, outputs }: Predictor, { tokens }: Pick<ModelShape, 'tokens'>): GoldenInput[] {
  const sides = Object.values(outputs).map(({ shape = [-1, -1] }) => rowShape(shape))
  const rows = Object.entries(inputs).map(([name, input]) => [name, madeUp(input, tokens)] as const)
  if (rows.some(([, row]) => row === undefined) || sides.some(shape => shape.includes(-1) || elementCount(shape) > MAX_RECORDED)) return []
  const known = rows as readonly (readonly [string, MadeUp])[]
  return [{
    inputs: Object.fromEntries(known.map(([name, { value }]) => [name, value])),
    patterns: Object.fromEntries(known.map(([name, { pattern }]) => [name, pattern]))
  }]
}

interface MadeUp { readonly value: TensorValue, readonly pattern: readonly number[] }

function madeUp ({ dtype, shape }: Output, tokens: number | undefined): MadeUp | undefined {
  const sides = rowShape(shape ?? [-1, -1])
  if (sides.includes(-1) || !isNumeric(dtype)) return undefined
  const count = elementCount(sides)
  const pattern = Array.from({ length: Math.min(PATTERN_LENGTH, count) }, (_, index) => numberAt(index, dtype, tokens))
  const data = allocateArray(dtype, count) as Float32Array | Int32Array | Uint8Array
  for (let index = 0; index < count; index++) data[index] = pattern[index % pattern.length]!
  return { value: { dtype, shape: sides, data }, pattern }
}

function rowShape (shape: readonly number[]): number[] {
  return shape.map((side, axis) => axis === 0 && side === -1 ? 1 : side)
}

function isNumeric (dtype: string): dtype is Extract<ValueDType, 'float32' | 'int32' | 'uint8'> {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'uint8'
}

/** Sixteenths are exact as float32 and short as text. */
function numberAt (index: number, dtype: string, tokens: number | undefined): number {
  const byte = (index * 37 + (index >> 3) * 11) % 256
  if (tokens !== undefined) return byte % tokens
  return dtype === 'float32' ? (byte % 17) / 16 : byte
}
