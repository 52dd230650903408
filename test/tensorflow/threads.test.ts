import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { favourEventLoop, Graph, Session } from '../../src/tensorflow/index.ts'

const SCHED_BATCH = 3

/** How the kernel schedules each thread of this process, by the thread's number. @see proc_pid_stat(5), fields 41 and 19 */
function scheduling (): Map<number, { policy: number, nice: number }> {
  return new Map(readdirSync('/proc/self/task').map(thread => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number)
    return [Number(thread), { policy: fields[38]!, nice: fields[16]! }]
  }))
}

t.test('every thread but the event loop\'s waits until another has had its time', { skip: process.platform === 'linux' ? false : 'Linux\'s scheduler only' }, async t => {
  const graph = new Graph()
  const session = new Session(graph, { intraOpThreads: 2 })
  await session.run({ fetches: [graph.scalar('float32', 1)] })
  const { nice } = scheduling().get(process.pid)!
  favourEventLoop(5)
  favourEventLoop(5) // as after each version: it does not add up
  const found = scheduling()
  t.strictSame(found.get(process.pid), { policy: 0, nice })
  found.delete(process.pid)
  t.ok(found.size > 4)
  t.strictSame([...found.values()], Array.from(found, () => ({ policy: SCHED_BATCH, nice: Math.min(19, nice + 5) })))
  await session.close()
  await graph.close()
})
