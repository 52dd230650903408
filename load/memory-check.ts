import { formatMib } from './format.ts'
import type { Check } from './scenario.ts'

const MIB = 1024 * 1024
/** What the collector and the allocator may still hold; a leak of a few hundred bytes a request, or of one model, is more over the counts used here. */
const ALLOWED_SHARE = 0.05
const ALLOWED_BYTES = 8 * MIB

/** Whether resident memory is where it was, as far as that can be told from outside. @param before, after bytes of an idle process; NaN where unknown */
export function memoryFlat (what: string, before: number, after: number): Check {
  const allowed = before * (1 + ALLOWED_SHARE) + ALLOWED_BYTES
  return {
    claim: `resident memory is flat over ${what} (garbage collected; at most 5 % and 8 MiB more)`,
    found: Number.isNaN(before) ? 'not measured, there is no /proc here' : `${formatMib(before)} → ${formatMib(after)} MiB`,
    isMet: Number.isNaN(before) || after <= allowed
  }
}
