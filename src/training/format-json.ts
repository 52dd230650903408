/** JSON to be read by people too; numbers that JSON does not have are written as `"NaN"`, `"Infinity"`, `"-Infinity"`. Pure. */
export function formatJson (value: unknown): string {
  return `${JSON.stringify(value, (_key, part: unknown) => typeof part === 'number' && !Number.isFinite(part) ? String(part) : part, 1)}\n`
}
