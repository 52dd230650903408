import { fork } from 'node:child_process'
import { once } from 'node:events'
import { programPath } from './places.ts'
import type { LoopLag } from './server-metrics.ts'

/** Runs `action` beside an idle process, and tells how late that one's event loop was meanwhile. */
export async function besideIdleLoop<T> (action: () => Promise<T>): Promise<{ result: T, idleLag: LoopLag }> {
  const child = fork(programPath('idle-loop'), { execArgv: [] })
  try {
    await once(child, 'spawn')
    const result = await action()
    const answer = once(child, 'message')
    child.send('how late?')
    const [idleLag] = await answer as [LoopLag]
    return { result, idleLag }
  } finally {
    if (child.connected) child.disconnect()
  }
}
