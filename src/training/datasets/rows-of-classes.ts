import { derivedSeed, shuffledRows } from '../random.ts'

/** The row numbers of each class, smallest class number first, in an order that the seed decides. Classes without rows are left out. Pure. */
export function rowsOfClasses (labels: ArrayLike<number>, seed: number): Int32Array[] {
  const classes = new Map<number, number[]>()
  for (let row = 0; row < labels.length; row++) {
    const rows = classes.get(labels[row]!)
    if (rows === undefined) classes.set(labels[row]!, [row])
    else rows.push(row)
  }
  return [...classes]
    .sort(([a], [b]) => a - b)
    .map(([, rows], index) => shuffledRows(rows.length, derivedSeed(seed, index)).map(place => rows[place]!))
}
