import type { Test } from 'tap'
import { allocateArray, elementCount, type RunnableModel, type Signature, type TensorInfo, type TensorValue } from '../../src/tensorflow/index.ts'

/**
 * Runs the signatures of two models on the same made-up rows and compares every output. TensorFlow may add up in another order where weights are
 * constants, and fold a batch normalization into them; on numbers about 1 that makes less than `tolerance`.
 */
export async function sameAnswers (t: Test, expected: RunnableModel, found: RunnableModel, { rows = [1, 3], tolerance = 1e-6 } = {}): Promise<void> {
  for (const signature of Object.values(found.signatures)) {
    for (const count of rows) {
      const inputs = madeUp(signature, count)
      const [left, right] = await Promise.all([expected.run(signature.name, inputs), found.run(signature.name, inputs)])
      for (const [name, value] of Object.entries(left)) sameNumbers(t, value, right[name]!, tolerance, `${signature.name} ${name} of ${count} rows`)
    }
  }
}

export function sameNumbers (t: Test, expected: TensorValue, found: TensorValue, tolerance: number, message: string): void {
  t.strictSame([found.dtype, found.shape], [expected.dtype, expected.shape], `${message}: type and shape`)
  const distances = Array.from(expected.data as Float32Array, (number, index) => Math.abs(Number(number) - Number(found.data[index])))
  t.ok(distances.every(distance => distance <= tolerance), `${message}: no number differs by more than ${Math.max(...distances)}`)
}

function madeUp ({ inputs }: Signature, rows: number): Record<string, TensorValue> {
  return Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, tensor(info, rows)]))
}

function tensor ({ dtype, shape = [] }: TensorInfo, rows: number): TensorValue {
  const sides = shape.map((side, index) => side >= 0 ? side : index === 0 ? rows : 5)
  const data = allocateArray(dtype as Exclude<typeof dtype, 'resource' | 'variant'>, elementCount(sides))
  for (let index = 0; index < data.length; index++) {
    const whole = index * 37 % 101
    data[index] = typeof data[index] === 'bigint' ? BigInt(whole) : dtype.startsWith('float') ? whole / 50 - 1 : whole
  }
  return { dtype: dtype as TensorValue['dtype'], shape: sides, data }
}
