export const EXIT_FAILED = 1
export const EXIT_BAD_CONFIG = 2

/** Ends the process and says why, where the log may not be open yet. */
export function end (message: string, exitCode: number): never {
  process.stderr.write(`tensorport: ${message}\n`)
  process.exit(exitCode)
}
