import { availableParallelism } from 'node:os'

/** How many of one kind of work to have under way so that no core waits for it: one each, and one whose result is on its way. */
export function placesFor (cores = availableParallelism()): number {
  return cores + 1
}
