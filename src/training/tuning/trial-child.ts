import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GIVE_UP, type TrialNews, type TrialOrder } from './trial-messages.ts'

/** A trial that runs somewhere else. */
export interface RunningTrial {
  /** What it gave. Never rejects: a crash is `failed`. */
  readonly ended: Promise<Exclude<TrialNews, { kind: 'epoch' }>>
  /** Ends it after the step under way. */
  giveUp (): void
}

export type StartTrial = (order: TrialOrder, onEpoch: (value: number) => void) => RunningTrial

/** Beside this file, compiled as it is. */
const PROGRAM = fileURLToPath(new URL(`./trial-process${extname(import.meta.url)}`, import.meta.url))

/** How much a trial may write to its error stream before the rest is dropped. */
const MAX_ERROR_TEXT = 4000

/** Starts a trial in a process of its own. @param threads that TensorFlow uses there */
export function childTrials (threads: number): StartTrial {
  return (order, onEpoch) => {
    const child = fork(PROGRAM, [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, TF_NUM_INTRAOP_THREADS: String(threads), TF_NUM_INTEROP_THREADS: String(threads) }
    })
    let errorText = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => { errorText = `${errorText}${text}`.slice(-MAX_ERROR_TEXT) })
    const ended = new Promise<Exclude<TrialNews, { kind: 'epoch' }>>(resolve => {
      child.on('message', message => {
        const news = message as TrialNews
        if (news.kind === 'epoch') onEpoch(news.value)
        else resolve(news)
      })
      child.on('error', error => { resolve({ kind: 'failed', reason: error.message }) })
      child.on('close', (code, signal) => { resolve({ kind: 'failed', reason: `the process ended with ${signal ?? `exit code ${code}`}${lastLine(errorText)}` }) })
    })
    child.send(order)
    return { ended, giveUp: () => { if (child.connected) child.send(GIVE_UP) } }
  }
}

function lastLine (text: string): string {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return line === '' ? '' : `: ${line}`
}
