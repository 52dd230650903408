import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { until } from './registry.ts'
import { openConnection } from './sockets.ts'

/** `npm test` compiles it. Read from src/ as the tests are, each start would take 20 s of compiling. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
export const notCompiled = existsSync(MAIN) ? false : 'dist/ is not there: npm run build'

export interface Program {
  readonly child: ChildProcess
  readonly output: () => string
  /** Its exit code. */
  readonly ended: Promise<number | null>
}

/** The server as a process of its own. */
export function start (t: Test, env: Record<string, string>): Program {
  const child = spawn(process.execPath, [MAIN], { env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(() => { child.kill('SIGKILL') })
  return { child, output: () => output, ended }
}

/** The port that its log names. */
export async function portOf ({ output }: Program): Promise<number> {
  const listening = /listening on http:\/\/127\.0\.0\.1:(\d+)/
  await until('the server listens', () => listening.test(output()))
  return Number(listening.exec(output())![1])
}

export async function statusOf (port: number, path: string): Promise<number> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`)
  await reply.arrayBuffer()
  return reply.status
}

/** A request whose last byte is still to come. */
export async function beginRequest (t: Test, port: number): Promise<{ finish: () => void, untilClosed: () => Promise<string> }> {
  const { socket, untilClosed } = await openConnection(t, port)
  socket.write('POST /v1/models/half:predict HTTP/1.1\r\nhost: a\r\ncontent-length: 14\r\n\r\n{"inputs":[1]')
  await statusOf(port, '/health/live') // by then the other one has been read too
  return { finish: () => { socket.write('}') }, untilClosed }
}
