import { parseArgs, type ParseArgsConfig } from 'node:util'
import { BadOptionError } from '../errors.ts'

/** Ctrl-C: the work has stopped after a step, and nothing is exported. */
export class TrainingStopped extends Error {
  override readonly name = 'TrainingStopped'
}

/** As shells report a process that Ctrl-C ended. */
export const INTERRUPTED = 130

/** @param option as `epochs`, for the error @throws BadOptionError */
export function wholeNumber (option: string, given: string | undefined, otherwise: number, least: number): number {
  if (given === undefined) return otherwise
  const number = Number(given)
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(number) || number < least) throw new BadOptionError(`--${option} takes a whole number from ${least}, not "${given}"`)
  return number
}

/** @param option as `learning-rate`, for the error @throws BadOptionError */
export function positiveNumber (option: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise
  const number = Number(given)
  if (given.trim() === '' || !Number.isFinite(number) || number <= 0) throw new BadOptionError(`--${option} takes a number over 0, not "${given}"`)
  return number
}

/** One of a few words. @param option as `precision`, for the error @throws BadOptionError */
export function oneOf<Word extends string> (option: string, given: string, words: readonly Word[]): Word {
  const found = words.find(word => word === given)
  if (found === undefined) throw new BadOptionError(`--${option} takes ${words.join(', ')}, not "${given}"`)
  return found
}

/** @param argv without node and script @param usage is told with the error @throws BadOptionError for an option that there is not */
export function parseCommand<Options extends NonNullable<ParseArgsConfig['options']>> (argv: readonly string[], options: Options, usage: () => string) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true })
  } catch (error) {
    throw new BadOptionError(`${(error as Error).message}\n\n${usage()}`)
  }
}

/** What the user is told of a failure: an expected one, or that the run was stopped, by its message, others with their stack. */
export function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error || error instanceof TrainingStopped || error.stack === undefined ? error.message : error.stack
}
