import { readFileSync, rmSync, statSync, utimesSync, writeFileSync, mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A lock between processes: a file that names its holder and what the holder started. Who finds all of them dead takes it over at once;
 * where that can't be told (another host on a shared home), once the holder has given no sign of life for a while.
 *
 * @typedef {{ pid: number, host: string, children: number[] }} Holder
 */

const HEARTBEAT_MS = 5_000
const POLL_MS = 100
const SILENT_MS = 60_000
/** So much longer where a process of the holder's number lives: it may be what a killed holder had started, or have got the number since. */
const PATIENCE_WITH_THE_LIVING = 15
/** Taking a dead holder's lock over takes microseconds; a take-over file older than this was left by one who died in them. */
const TAKE_OVER_MS = 5_000

/** Locks of this process. @type {Map<string, Holder>} */
const held = new Map()

/**
 * Runs `action` while no other process holds the lock at `path`. Not re-entrant.
 *
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} action
 * @param {{ onWait?: (holder: Holder | undefined) => void, pollMs?: number, silentMs?: number }} [options] `onWait` is called once, if there is a wait
 * @returns {Promise<T>}
 */
export async function withLock (path, action, { onWait = () => {}, pollMs = POLL_MS, silentMs = SILENT_MS } = {}) {
  mkdirSync(dirname(path), { recursive: true })
  if (!tryAcquire(path)) {
    onWait(readHolder(path))
    await acquire(path, { pollMs, silentMs })
  }
  const heartbeat = setInterval(beat, HEARTBEAT_MS, path).unref()
  try {
    return await action()
  } finally {
    clearInterval(heartbeat)
    release(path)
  }
}

/**
 * Names a child process in every lock that is held: if this process is killed, whoever comes next waits for the child too.
 *
 * @param {number} pid
 * @returns {() => void} to be called when the child has ended
 */
export function recordChild (pid) {
  for (const [path, holder] of held) write(path, { ...holder, children: [...holder.children, pid] })
  return () => {
    for (const [path, holder] of held) write(path, { ...holder, children: holder.children.filter(child => child !== pid) })
  }
}

/** For a process that is about to exit. */
export function releaseAll () {
  for (const path of held.keys()) release(path)
}

/** @param {string} path */
function release (path) {
  held.delete(path)
  if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true })
}

/** @param {string} path @param {{ pollMs: number, silentMs: number }} options */
async function acquire (path, { pollMs, silentMs }) {
  let lastBeat = beatOf(path)
  let heardAt = performance.now()
  while (!tryAcquire(path)) {
    const latest = beatOf(path)
    if (latest !== lastBeat) [lastBeat, heardAt] = [latest, performance.now()]
    const holder = readHolder(path)
    const patienceMs = isOfThisHost(holder) ? silentMs * PATIENCE_WITH_THE_LIVING : silentMs
    if (isDead(holder) || performance.now() - heardAt > patienceMs) takeOver(path, lastBeat)
    else await sleep(pollMs)
  }
}

/** @param {string} path */
function tryAcquire (path) {
  const holder = { pid: process.pid, host: hostname(), children: [] }
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
  held.set(path, holder)
  return true
}

/** Removes a dead holder's lock. Only one process at a time may do so, and only the lock that it saw: else it could remove a live one. @param {string} path @param {number | undefined} seenBeat */
function takeOver (path, seenBeat) {
  const mark = `${path}.take-over`
  try {
    writeFileSync(mark, '', { flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const since = beatOf(mark)
    if (since !== undefined && Date.now() - since > TAKE_OVER_MS) rmSync(mark, { force: true })
    return
  }
  if (isDead(readHolder(path)) || beatOf(path) === seenBeat) rmSync(path, { force: true })
  rmSync(mark, { force: true })
}

/** @param {string} path @returns {Holder | undefined} undefined while it is being written, or gone */
function readHolder (path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/** @param {Holder | undefined} holder @returns {holder is Holder} */
function isOfThisHost (holder) {
  return holder?.host === hostname()
}

/** @param {Holder | undefined} holder */
function isDead (holder) {
  return isOfThisHost(holder) && ![holder.pid, ...holder.children].some(isAlive)
}

/** @param {number} pid */
function isAlive (pid) {
  try {
    return process.kill(pid, 0) && !isZombie(pid)
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Ended, but no parent has asked how: in a container it can stay so for ever. Linux only. @param {number} pid */
function isZombie (pid) {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** @param {string} path */
function beat (path) {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch {
    // Someone removed the lock by hand: nothing to keep alive.
  }
}

/** @param {string} path @returns {number | undefined} milliseconds */
function beatOf (path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

/** @param {string} path @param {Holder} holder */
function write (path, holder) {
  held.set(path, holder)
  writeFileSync(path, JSON.stringify(holder))
}

/** @param {unknown} error */
function codeOf (error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code
}
