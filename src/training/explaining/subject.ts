import type { Ranking } from '../../prediction/rank.ts'

/** What is explained: an input in parts, any of which may be missing. */
export interface Subject {
  /** Names of the parts. */
  readonly features: readonly string[]
  /** @param rows for each a 1 for every part that is there */
  readonly predict: (rows: readonly Uint8Array[]) => Promise<readonly Ranking[]>
}
