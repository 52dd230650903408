import { Turn } from '../../turn.ts'

/** Work in pieces of well under a millisecond: it yields after each. */
export type Pieces<Result> = Generator<void, Result, void>

/** When work has to wait, and what ends it. */
export interface Turns {
  isOver (): boolean
  next (): Promise<void>
}

/**
 * Does work at once where it takes a few milliseconds, else in turns with the event loop's other work.
 *
 * @param signal ends it between two turns
 * @throws the signal's reason, and what the work throws
 */
export function inTurns<Result> (work: Pieces<Result>, signal?: AbortSignal, turns: Turns = new Turn()): Result | Promise<Result> {
  let step = work.next()
  while (step.done !== true && !turns.isOver()) step = work.next()
  return step.done === true ? step.value : goOn(work, signal, turns)
}

async function goOn<Result> (work: Pieces<Result>, signal: AbortSignal | undefined, turns: Turns): Promise<Result> {
  let step: IteratorResult<void, Result>
  do {
    if (turns.isOver()) await turns.next()
    signal?.throwIfAborted()
    step = work.next()
  } while (step.done !== true)
  return step.value
}

/** Does work at a stretch. */
export function atOnce<Result> (work: Pieces<Result>): Result {
  let step = work.next()
  while (step.done !== true) step = work.next()
  return step.value
}
