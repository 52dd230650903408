import { readdirSync } from 'node:fs'
import { libc } from './library.ts'

/** As any other thread, but one that wakes does not push another off its core. @see sched(7) */
const SCHED_BATCH = 3

/**
 * Lets the event loop go before the threads that decode and infer, of this process as it is now and those that they start: when the loop hands work to one of
 * them, the kernel would else often stop the loop at once for it, and everybody waits who has a request there. Takes nothing from other processes and
 * needs no privilege. Does nothing where threads can't be listed or set (other systems than Linux).
 */
export function favourEventLoop (): void {
  const set = libc().sched_setscheduler
  if (set === undefined) return
  for (const thread of threads()) if (thread !== process.pid) set(thread, SCHED_BATCH, Int32Array.of(0))
}

/** Numbers of this process's threads; the event loop's is the process's own. */
function threads (): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return []
  }
}
