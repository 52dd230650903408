import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { recordChild, withLock } from '../../scripts/setup/lock.mjs'

const LOCK_MODULE = new URL('../../scripts/setup/lock.mjs', import.meta.url).href

/** A process that holds the lock until it is killed. */
async function startHolder (t: Test, path: string): Promise<ChildProcess> {
  const program = `
    const { withLock } = await import(${JSON.stringify(LOCK_MODULE)})
    await withLock(${JSON.stringify(path)}, () => { console.log('held'); return new Promise(() => setInterval(() => {}, 1000)) })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  await once(child.stdout, 'data')
  return child
}

async function kill (child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

t.test('gives the lock to one at a time', async t => {
  const path = join(t.testdir(), 'a.lock')
  const order: string[] = []
  const work = async (name: string): Promise<void> => {
    await withLock(path, async () => {
      order.push(`${name} in`)
      await sleep(20)
      order.push(`${name} out`)
    }, { pollMs: 2 })
  }
  await Promise.all([work('first'), work('second'), work('third')])
  t.equal(order.filter((entry, at) => at % 2 === 0 ? !entry.endsWith('in') : entry !== order[at - 1]?.replace('in', 'out')).length, 0, order.join())
  t.notOk(existsSync(path))
})

t.test('is free again after its holder fails', async t => {
  const path = join(t.testdir(), 'a.lock')
  await t.rejects(withLock(path, async () => { throw new Error('no disk') }), { message: 'no disk' })
  t.equal(await withLock(path, async () => 'free'), 'free')
})

t.test('waits for a live process and says which', async t => {
  const path = join(t.testdir(), 'a.lock')
  const holder = await startHolder(t, path)
  let waitedFor: number | undefined
  const waiting = withLock(path, async () => 'mine', { pollMs: 5, onWait: found => { waitedFor = found?.pid } })
  t.equal(await Promise.race([waiting, sleep(300, 'still waiting')]), 'still waiting')
  await kill(holder)
  t.equal(await waiting, 'mine')
  t.equal(waitedFor, holder.pid)
})

t.test('is taken over at once where its holder was killed', async t => {
  const path = join(t.testdir(), 'a.lock')
  await kill(await startHolder(t, path))
  t.ok(existsSync(path), 'the dead holder left it')
  const startedAt = performance.now()
  await withLock(path, async () => {})
  t.ok(performance.now() - startedAt < 2_000)
})

t.test('is taken over by one alone of many that find it stale', async t => {
  const path = join(t.testdir(), 'a.lock')
  await kill(await startHolder(t, path))
  let inside = 0
  let most = 0
  await Promise.all(Array.from({ length: 20 }, () => withLock(path, async () => {
    most = Math.max(most, ++inside)
    await sleep(2)
    inside--
  }, { pollMs: 1 })))
  t.equal(most, 1)
})

t.test('waits for what a killed holder had started', async t => {
  const path = join(t.testdir(), 'a.lock')
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  t.teardown(() => { orphan.kill('SIGKILL') })
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  writeFileSync(path, JSON.stringify({ pid: dead.pid, host: hostname(), children: [orphan.pid] }))
  const waiting = withLock(path, async () => 'mine', { pollMs: 5, silentMs: 100 })
  t.equal(await Promise.race([waiting, sleep(500, 'still waiting')]), 'still waiting')
  await kill(orphan)
  t.equal(await waiting, 'mine')
})

t.test('names running children in the lock', async t => {
  const path = join(t.testdir(), 'a.lock')
  const read = (): unknown => JSON.parse(readFileSync(path, 'utf8'))
  await withLock(path, async () => {
    const ended = recordChild(4711)
    t.match(read(), { pid: process.pid, children: [4711] })
    ended()
    t.match(read(), { pid: process.pid, children: [] })
  })
})

t.test('another host’s lock is taken over only when it gives no sign of life', async t => {
  const path = join(t.testdir(), 'a.lock')
  writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', children: [] }))
  const beat = setInterval(() => { if (existsSync(path)) utimesSync(path, new Date(), new Date()) }, 20)
  const waiting = withLock(path, async () => 'mine', { pollMs: 5, silentMs: 200 })
  t.equal(await Promise.race([waiting, sleep(600, 'still waiting')]), 'still waiting')
  clearInterval(beat)
  t.equal(await waiting, 'mine')
})

t.test('a process that only has a dead holder’s number is not waited for without end', async t => {
  const path = join(t.testdir(), 'a.lock')
  writeFileSync(path, JSON.stringify({ pid: process.ppid, host: hostname(), children: [] }))
  t.equal(await withLock(path, async () => 'mine', { pollMs: 5, silentMs: 10 }), 'mine')
})

t.test('a half-written lock is waited for, then taken over', async t => {
  const path = join(t.testdir(), 'a.lock')
  writeFileSync(path, '{"pid": 1')
  const startedAt = performance.now()
  await withLock(path, async () => {}, { pollMs: 5, silentMs: 100 })
  t.ok(performance.now() - startedAt >= 100)
})

t.test('ending by a signal gives the lock back', async t => {
  const path = join(t.testdir(), 'a.lock')
  const program = `
    const { endOnSignals, run } = await import(${JSON.stringify(new URL('command.mjs', LOCK_MODULE).href)})
    const { withLock } = await import(${JSON.stringify(LOCK_MODULE)})
    endOnSignals()
    setTimeout(() => console.log('held'), 300)
    await withLock(${JSON.stringify(path)}, () => run(process.execPath, ['-e', 'setInterval(() => {}, 1000)']))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const { children: [grandchild = NaN] } = JSON.parse(readFileSync(path, 'utf8')) as { children: number[] }
  child.kill('SIGTERM')
  t.strictSame(await once(child, 'exit'), [143, null])
  const endedAt = performance.now()
  t.notOk(existsSync(path))
  writeFileSync(path, JSON.stringify({ pid: grandchild, host: hostname(), children: [] }))
  t.equal(await withLock(path, async () => 'free', { pollMs: 5, silentMs: 10_000 }), 'free', 'what it had started has ended too')
  t.ok(performance.now() - endedAt < 10_000)
})
