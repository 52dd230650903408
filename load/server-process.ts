import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverEnvironment } from '../scripts/start/server-process.mjs'
import { ROOT } from './places.ts'
import { processTree, readProcessMemory, residentBytes, treePeakBytes } from './process-memory.ts'

export interface ServerOptions {
  /** The program: dist/main.js, or a peer. */
  path: string
  /** The interpreter, for a peer in Python; such a one may consist of several processes. */
  python?: string
  env: Record<string, string>
  /** Answers 2xx once the server is ready. */
  readyPath: string
  /** Everything the server writes goes there. */
  logPath: string
  readyTimeoutMs?: number
}

export interface RunningServer {
  /** As `http://127.0.0.1:40123`. */
  readonly url: string
  readonly pid: number
  /** From the start of the process to the first ready answer. */
  readonly startMs: number
  /** What is resident once its work is over and its garbage collected. @returns NaN where there is no /proc */
  settledBytes (): Promise<number>
  /** The most that was ever resident; of several processes, each one's most added up. @returns NaN where there is no /proc */
  peakBytes: () => number
  /** Sends SIGTERM. @throws Error if the process does not exit with code 0 in time (a peer in Python may), or had ended before */
  stop (): Promise<void>
}

const HOST = '127.0.0.1'
const READY_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 40_000
const TREE_STOP_TIMEOUT_MS = 10_000
/** For replies, retries and timers to be over. */
const SETTLE_MS = 1000
/** Modules that every server gets: it ends where this process ends first, however that happens, and collects its garbage when asked. */
const IMPORTED = [join(ROOT, 'scripts', 'start', 'follow-parent.mjs'), join(ROOT, 'load', 'collect-garbage.mjs')].flatMap(path => ['--import', pathToFileURL(path).href])
/** Does the same for a peer in Python. */
const FOLLOW_PARENT = join(ROOT, 'load', 'peers', 'follow_parent.py')

/**
 * Starts a server as `npm start` does, in a process of its own, on a free port of the loopback interface.
 *
 * @throws Error with the end of its log if it ends or does not become ready in time
 */
export async function startServer (options: ServerOptions): Promise<RunningServer> {
  const startedAt = performance.now()
  const url = `http://${HOST}:${await freePort()}`
  const child = spawnServer(options, new URL(url).port)
  try {
    await becomeReady(child, url + options.readyPath, options.readyTimeoutMs ?? READY_TIMEOUT_MS)
  } catch (error) {
    if (options.python === undefined) child.kill('SIGKILL')
    else killAll(processTree(child.pid!))
    throw new Error(`${(error as Error).message}\n${endOfLog(options.logPath)}`, { cause: error })
  }
  return {
    url,
    pid: child.pid!,
    startMs: performance.now() - startedAt,
    settledBytes: () => settledBytes(child),
    peakBytes: () => options.python === undefined ? readProcessMemory(child.pid!)?.peakBytes ?? Number.NaN : treePeakBytes(child.pid!),
    stop: () => options.python === undefined ? stopServer(child, options.logPath) : stopTree(child, options.logPath)
  }
}

/** Runs `action` beside a server, which is stopped however that ends. */
export async function withServer<T> (options: ServerOptions, action: (server: RunningServer) => Promise<T>): Promise<T> {
  const server = await startServer(options)
  let result: T
  try {
    result = await action(server)
  } catch (error) {
    await server.stop().catch(() => {}) // what went wrong first is what is told
    throw error
  }
  await server.stop()
  return result
}

function spawnServer ({ path, python, env, logPath }: ServerOptions, port: string): ChildProcess {
  const log = openSync(logPath, 'a')
  const given = { cwd: ROOT, env: serverEnvironment({ ...process.env, HOST, PORT: port, ...env }) }
  try {
    return python === undefined
      ? spawn(process.execPath, [...IMPORTED, path], { ...given, stdio: ['ignore', log, log, 'ipc'] })
      : spawn(python, [FOLLOW_PARENT, path], { ...given, detached: true, stdio: ['pipe', log, log] })
  } finally {
    closeSync(log)
  }
}

async function becomeReady (child: ChildProcess, url: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new Error(`The server ended (${child.exitCode ?? child.signalCode}) before it was ready`)
    if (await fetch(url).then(reply => reply.ok, () => false)) return
    await sleep(20)
  }
  throw new Error(`The server was not ready after ${timeoutMs} ms`)
}

async function settledBytes (child: ChildProcess): Promise<number> {
  await sleep(SETTLE_MS)
  child.kill('SIGUSR2')
  await sleep(SETTLE_MS)
  return await residentBytes(child.pid!)
}

async function stopServer (child: ChildProcess, logPath: string): Promise<void> {
  if (hasEnded(child)) throw new Error(`The server had ended (${child.exitCode ?? child.signalCode}) before it was told to\n${endOfLog(logPath)}`)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  const [code, signal] = await exit as [number | null, string | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`Expected the server to exit with code 0 after SIGTERM but it was ${code ?? signal}\n${endOfLog(logPath)}`)
}

/** Whatever of it is left after its first process has ended is killed. */
async function stopTree (child: ChildProcess, logPath: string): Promise<void> {
  if (hasEnded(child)) throw new Error(`The server had ended (${child.exitCode ?? child.signalCode}) before it was told to\n${endOfLog(logPath)}`)
  const tree = processTree(child.pid!)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), TREE_STOP_TIMEOUT_MS)
  await exit
  clearTimeout(timer)
  killAll(tree)
}

function killAll (pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

function hasEnded (child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function endOfLog (path: string): string {
  return readFileSync(path, 'utf8').split('\n').slice(-20).join('\n')
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
