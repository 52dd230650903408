import type { TensorValue } from '../../tensorflow/index.ts'

/** How many rows of each class were taken for which. Pure. @returns [actual][predicted] */
export function confusionMatrix (actual: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number[][] {
  if (actual.length !== predicted.length) throw new RangeError(`Expected as many predictions as rows, ${actual.length}, but received ${predicted.length}`)
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  for (let row = 0; row < actual.length; row++) counts[actual[row]!]![predicted[row]!]!++
  return counts
}

/** For each row the class of the largest output; for one output a row, whether it is above the threshold. @param output [rows, classes], as `Trainer.predict` gives it */
export function predictedClasses ({ shape, data }: TensorValue, threshold = 0.5): Int32Array {
  const [rows = 0, classes = 0] = shape
  const scores = data as Float32Array
  return Int32Array.from({ length: rows }, (_, row) => {
    const own = scores.subarray(row * classes, (row + 1) * classes)
    return classes === 1 ? Number(own[0]! > threshold) : own.reduce((best, score, index) => score > own[best]! ? index : best, 0)
  })
}
