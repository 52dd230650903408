/** What the doctor found of one thing. */
export interface Finding {
  /** `failed`: serving would fail. `warning`: serving works, something else does not, or not as well as it could. */
  readonly status: 'ok' | 'warning' | 'failed'
  readonly subject: string
  readonly found: string
  /** What to do about it. */
  readonly remedy?: string
}

export type Environment = Record<string, string | undefined>

export const SETUP_REMEDY = 'npm run setup'

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const
const SUBJECT_WIDTH = 15

/** One line, and one more for the remedy. */
export function formatFinding ({ status, subject, found, remedy }: Finding): string {
  const line = `${MARKS[status]} ${subject.padEnd(SUBJECT_WIDTH)} ${found.replaceAll('\n', `\n${' '.repeat(SUBJECT_WIDTH + 3)}`)}`
  return remedy === undefined ? line : `${line}\n${' '.repeat(SUBJECT_WIDTH + 3)}→ ${remedy}`
}

export function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
