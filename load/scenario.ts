/** How long and how often to measure, and where to work. */
export interface LoadContext {
  /** A smoke run: everything once and briefly, its figures say nothing. */
  isQuick: boolean
  repeats: number
  /** Of one repeat. */
  durationMs: number
  /** A folder of the scenario's own, removed after it. */
  scratch: string
  /** Says what is going on now. */
  log: (line: string) => void
}

/** A claim that the scenario puts to the test. */
export interface Check {
  claim: string
  found: string
  isMet: boolean
}

export interface Table {
  columns: string[]
  rows: string[][]
}

export interface Outcome {
  tables: Table[]
  checks: Check[]
  /** How the figures came about; what was left out, and why. */
  notes: string[]
}

export interface Scenario {
  /** As on the command line. */
  name: string
  /** One sentence for the page: what is done to the server. */
  summary: string
  /** @throws Error if the scenario could not be carried through, a reply that is not 2xx included; SkipError if the machine lacks something */
  run (context: LoadContext): Promise<Outcome>
}

/** What a scenario needs is not on this machine. */
export class SkipError extends Error {
  override name = 'SkipError'
}
