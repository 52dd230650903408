/** Where a text can be cut so that its slices, tokenized one by one, give the tokens of the whole. */
export interface Slicing {
  /** UTF-16 units tokenized at a stretch: what takes a few milliseconds at the worst. */
  readonly length: number
  /** Whether a slice may end between two UTF-16 units. */
  readonly canCut: (before: number, after: number) => boolean
  /**
   * What becomes of a run longer than a slice that can be cut nowhere: `cut` it between two characters all the same, or `skip` what is
   * over a slice, where the units of a slice stand for the one long word that it is.
   */
  readonly overlong: 'cut' | 'skip'
}

export function isAsciiSpace (unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
}

export function isHighSurrogate (unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

/** Cuts a text into slices of at most `slicing.length` units, in time that grows with the text's length only. */
export function * slices (text: string, slicing: Slicing): Generator<string, void> {
  let start = 0
  while (text.length - start > slicing.length) {
    const limit = start + slicing.length
    const cut = lastCut(text, start, limit, slicing)
    if (cut > start) {
      yield text.slice(start, cut)
      start = cut
    } else {
      const end = isHighSurrogate(text.charCodeAt(limit - 1)) ? limit - 1 : limit
      yield text.slice(start, end)
      start = slicing.overlong === 'cut' ? end : firstCut(text, end, slicing)
    }
  }
  if (start < text.length) yield text.slice(start)
}

/** @returns the last place in start + 1 … limit where the text can be cut; `start` if there is none */
function lastCut (text: string, start: number, limit: number, { canCut }: Slicing): number {
  let at = limit
  while (at > start && !canCut(text.charCodeAt(at - 1), text.charCodeAt(at))) at--
  return at
}

/** @returns the first place from `from` on where the text can be cut; its end if there is none */
export function firstCut (text: string, from: number, { canCut }: Slicing): number {
  let at = from
  while (at < text.length && !canCut(text.charCodeAt(at - 1), text.charCodeAt(at))) at++
  return at
}
