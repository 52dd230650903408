/** How far apart two runs of the same session may be: TensorFlow's threads add up in any order. */
export const TOLERANCE = 1e-5

/** Whether two JSON values are the same, numbers up to the tolerance. */
export function isClose (left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'number') return Math.abs(left - right) <= TOLERANCE
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every(key => isClose(left[key as keyof typeof left], right[key as keyof typeof right]))
}

/**
 * Tells whether a reply is the expected one; what is the same to the byte is not parsed.
 *
 * @param except names of an object's values that may differ, as `version`
 */
export function sameReply (expected: string, except: readonly string[] = []): (body: string) => boolean {
  const read = (body: string): unknown => JSON.parse(body, (key, value: unknown) => except.includes(key) ? undefined : value)
  const value = read(expected)
  return body => body === expected || isClose(value, read(body))
}
