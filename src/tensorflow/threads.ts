import { readdirSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { libc } from './library.ts'

/** As any other thread, but one that wakes does not push another off its core. @see sched(7) */
const SCHED_BATCH = 3
const LOWEST_NICENESS = 19

/**
 * Lets the event loop go before the threads that decode and infer, of this process as it is now and those that they start: when the loop hands work to one of
 * them, the kernel would else often stop the loop at once for it, and where all cores are busy the loop would get no more of them than each of those threads. Everybody waits then
 * who has a request there. Needs no privilege. Does nothing where threads can't be listed or set (other systems than Linux).
 *
 * @param niceness 0 to 19, how much higher the nice value of those threads is than the event loop's. The kernel weighs it against all threads of the same control group, or
 *   of the same terminal session (autogroup), so other programs there go before these threads as well
 * @see docs/decisions/0012
 */
export function favourEventLoop (niceness: number): void {
  const set = libc().sched_setscheduler
  if (set === undefined) return
  const nice = Math.min(LOWEST_NICENESS, getPriority(process.pid) + niceness)
  for (const thread of threads()) {
    if (thread === process.pid) continue
    set(thread, SCHED_BATCH, Int32Array.of(0))
    setNice(thread, nice)
  }
}

/** Numbers of this process's threads; the event loop's is the process's own. */
function threads (): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number)
  } catch {
    return []
  }
}

/** setpriority(2) takes a thread's number too. */
function setNice (thread: number, nice: number): void {
  try {
    setPriority(thread, nice)
  } catch {
    // It has ended meanwhile, or its value is higher already, which only a privileged process may lower.
  }
}
