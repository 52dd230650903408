/** One size that was tried. */
export interface SizeTime {
  readonly size: number
  /** Of a run, once it is warm. */
  readonly runMs: number
}

export interface SizeSearch {
  /** Largest size to try. */
  readonly maxRows: number
  /** Milliseconds for all of it. */
  readonly budgetMs: number
  /** Longest run: others wait for it. */
  readonly maxRunMs: number
}

/**
 * How much more twice as many rows have to give: they wait for each other, and gains of less are not seen beside HTTP and decoding. For a size that is larger than
 * the best by several doublings, as much for each.
 */
const GAIN = 1.07
/** Runs of each size that are timed, as long as they do not take more than so many milliseconds together. */
const [TRIES, TRIES_MS] = [4, 100]
/** Sizes in a row that bring nothing before it is given up. */
const PATIENCE = 2

/**
 * The sizes that runs may have: powers of two as far as more rows go through in a second. Each is run, so TensorFlow knows it.
 *
 * @param run one run of so many rows; undefined where that many can't be made up
 * @param now milliseconds
 * @returns ascending, 1 at least; empty if not even one row could be run
 */
export async function findSizes (run: (rows: number) => Promise<boolean>, { maxRows, budgetMs, maxRunMs }: SizeSearch, now: () => number): Promise<SizeTime[]> {
  const startedAt = now()
  const tried: SizeTime[] = []
  let best = 0
  for (let size = 1; size <= maxRows; size *= 2) {
    const runMs = await timeOf(run, size, now)
    if (runMs === undefined) break
    tried.push({ size, runMs })
    const doublings = tried.length - 1 - best
    if (size / runMs > GAIN ** doublings * rate(tried[best]!)) best = tried.length - 1
    if (tried.length - 1 - best >= PATIENCE || 2 * runMs > maxRunMs || now() - startedAt + mostMs(2 * runMs) > budgetMs) break
  }
  return tried.slice(0, best + 1)
}

/** Milliseconds that a size takes at most, if its run takes as long as this. */
function mostMs (runMs: number): number {
  return runMs + Math.min(TRIES * runMs, TRIES_MS + runMs)
}

/** After a first run, which optimizes and allocates, the best of a few: whatever else the machine does only slows. */
async function timeOf (run: (rows: number) => Promise<boolean>, size: number, now: () => number): Promise<number | undefined> {
  if (!await run(size)) return undefined
  const startedAt = now()
  let best = Infinity
  for (let tries = 0; tries < TRIES && (tries === 0 || now() - startedAt < TRIES_MS); tries++) {
    const triedAt = now()
    if (!await run(size)) return undefined
    best = Math.min(best, now() - triedAt)
  }
  return Math.max(1e-3, best)
}

function rate ({ size, runMs }: SizeTime): number {
  return size / runMs
}
