import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { favourEventLoop, Graph, Session } from '../../src/tensorflow/index.ts'

const SCHED_BATCH = 3

/** How the kernel schedules each thread of this process, by the thread's number. @see proc_pid_stat(5), field 41 */
function policies (): Map<number, number> {
  return new Map(readdirSync('/proc/self/task').map(thread => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    return [Number(thread), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38])]
  }))
}

t.test('every thread but the event loop\'s waits until another has had its time', { skip: process.platform === 'linux' ? false : 'Linux\'s scheduler only' }, async t => {
  const graph = new Graph()
  const session = new Session(graph, { intraOpThreads: 2 })
  await session.run({ fetches: [graph.scalar('float32', 1)] })
  favourEventLoop()
  const found = policies()
  t.equal(found.get(process.pid), 0)
  found.delete(process.pid)
  t.ok(found.size > 4)
  t.strictSame([...new Set(found.values())], [SCHED_BATCH])
  await session.close()
  await graph.close()
})
