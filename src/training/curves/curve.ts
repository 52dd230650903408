/** A function by its name, at some places. */
export interface Curve {
  readonly name: string
  /** [x, y] */
  readonly points: readonly (readonly [number, number])[]
}

/** Numbers from the first to the last, equally far apart. */
export function evenly (first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => index === count - 1 ? last : first + (last - first) * index / (count - 1))
}
