import { pathToFileURL } from 'node:url'
import { cacheDirectory, loadLibrary } from '../tensorflow/index.ts'
import { readRequest, usage } from './command-line.ts'
import { checkDestination } from './export.ts'
import { INTERRUPTED, reasonOf, TrainingStopped } from './options.ts'
import type { ProgressStream } from './progress.ts'
import { DryRunEnded, RecipeRun } from './recipe-run.ts'
import { RunReport } from './report/run-report.ts'
import { RunCheckpoints } from './run-checkpoints.ts'

/** Where the command writes, what it keeps where, and what can stop it. */
export interface CommandContext {
  readonly out: ProgressStream
  readonly err: Pick<ProgressStream, 'write'>
  /** The user's cache folder. */
  readonly cacheDirectory: string
  /** Where stopped runs are kept, and what there is to look at after one, unless `--runs` says it. */
  readonly runsDir: string
  readonly signal: AbortSignal
}

/**
 * `npm run train -- <recipe> [options]`
 *
 * @param argv without node and script
 * @returns the exit code: 0 if a version was exported, or only help or the model was asked for, 1 if not and the reason was printed, 130 if it was stopped
 */
export async function main (argv: readonly string[], { out, err, ...context }: CommandContext): Promise<number> {
  try {
    const request = readRequest(argv)
    if (request === undefined) {
      out.write(usage())
      return 0
    }
    await checkDestination(request.modelsDir, request.model)
    const runsDir = request.runsDir ?? context.runsDir
    const checkpoints = new RunCheckpoints(runsDir, request.model, request)
    const report = new RunReport(runsDir, request.model)
    loadLibrary()
    await request.recipe.run(new RecipeRun({ ...request, ...context, command: ['npm run train --', ...argv].join(' '), stream: out, checkpoints, report }))
    return 0
  } catch (error) {
    if (error instanceof DryRunEnded) return 0
    err.write(`${reasonOf(error)}\n`)
    return error instanceof TrainingStopped ? INTERRUPTED : 1
  }
}

/** The first Ctrl-C stops after the step under way, the second at once. */
async function runFromTerminal (): Promise<void> {
  const stop = new AbortController()
  process.once('SIGINT', () => { stop.abort() })
  process.once('SIGTERM', () => { stop.abort() })
  process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr, cacheDirectory: cacheDirectory(process.env), runsDir: 'runs', signal: stop.signal })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runFromTerminal()
