import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { main } from '../../src/training/command.ts'

export interface RecipeOutcome {
  code: number
  /** What was written, without a terminal. */
  out: string
  err: string
}

const runsDir = mkdtempSync(join(tmpdir(), 'tensorport-runs-'))
process.once('exit', () => { rmSync(runsDir, { recursive: true, force: true }) })

/** Runs the training command as a user would. @param signal stops it */
export async function runRecipe (argv: readonly string[], signal = new AbortController().signal, onOut: (text: string) => void = () => {}): Promise<RecipeOutcome> {
  const written = { out: '', err: '' }
  const code = await main(argv, {
    out: { write: text => { written.out += text; onOut(text) } },
    err: { write: text => { written.err += text } },
    cacheDirectory: '/nonexistent',
    runsDir,
    signal
  })
  return { code, ...written }
}
