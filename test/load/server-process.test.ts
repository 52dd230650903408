import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findProgram } from '../../scripts/setup/command.mjs'
import { readProcessMemory, residentBytes } from '../../load/process-memory.ts'
import { startServer, type ServerOptions } from '../../load/server-process.ts'

const LISTENING = `
  import { createServer } from 'node:http'
  const server = createServer((request, response) => { response.end(process.env['MODELS_DIR']) }).listen(Number(process.env['PORT']), process.env['HOST'])
`

/** A server of a few lines, started as the real one is. */
function program (t: Test, text: string): ServerOptions {
  const directory = t.testdir()
  const path = join(directory, 'server.mjs')
  writeFileSync(path, text)
  return { path, env: { MODELS_DIR: 'somewhere' }, readyPath: '/', logPath: join(directory, 'server.log'), readyTimeoutMs: 20_000 }
}

const NO_PROC = readProcessMemory(process.pid) === undefined && 'there is no /proc'

t.test('starts a server, waits until it answers, and stops it with SIGTERM', async t => {
  const server = await startServer(program(t, `${LISTENING}; process.once('SIGTERM', () => process.exit(0))`))
  t.equal(await (await fetch(server.url)).text(), 'somewhere', 'its settings reach it')
  await server.stop()
  await t.rejects(fetch(server.url), 'nothing listens any more')
})

t.test('says so if the server does not end well', async t => {
  const server = await startServer(program(t, `${LISTENING}; process.once('SIGTERM', () => { console.log('can not'); process.exit(3) })`))
  await t.rejects(server.stop(), { message: /exit with code 0 after SIGTERM but it was 3\ncan not/ })
})

t.test('says so if the server ends before it is told to', async t => {
  const server = await startServer(program(t, `${LISTENING}; setTimeout(() => process.exit(7), 300)`))
  while (isAlive(server.pid)) await new Promise(resolve => setTimeout(resolve, 50))
  await t.rejects(server.stop(), { message: /had ended \(7\)/ })
})

function isAlive (pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('has a server\'s garbage collected before it tells what memory it holds', { skip: NO_PROC }, async t => {
  const server = await startServer(program(t, `${LISTENING}
    server.prependListener('request', ({ url }) => { if (url === '/garbage') Array.from({ length: 2e6 }, (_, index) => ({ index })) })
    process.once('SIGTERM', () => process.exit(0))
  `))
  const before = await server.settledBytes()
  await fetch(`${server.url}/garbage`)
  const { peakBytes } = readProcessMemory(server.pid)!
  const after = await server.settledBytes()
  t.ok(peakBytes - before > 40e6, `held ${before}, then ${peakBytes}`)
  t.ok(after - before < (peakBytes - before) / 2, `held ${before}, then ${after}`)
  await server.stop()
})

const PYTHON = findProgram('python3', process.env)

t.test('a peer in Python is stopped with all processes that it started', { skip: NO_PROC || (PYTHON === undefined && 'there is no python3') }, async t => {
  const directory = t.testdir()
  const path = join(directory, 'server.py')
  writeFileSync(path, `
import http.server, os, subprocess, sys
child = subprocess.Popen([sys.executable, '-c', 'import time; block = bytearray(50_000_000); time.sleep(600)'])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(child.pid).encode())
http.server.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler).serve_forever()
`)
  const server = await startServer({ path, python: PYTHON!, env: {}, readyPath: '/', logPath: join(directory, 'server.log'), readyTimeoutMs: 20_000 })
  const child = Number(await (await fetch(server.url)).text())
  while (readProcessMemory(child)!.peakBytes < 50e6) await new Promise(resolve => setTimeout(resolve, 50))
  t.ok(server.peakBytes() >= 50e6 + readProcessMemory(server.pid)!.peakBytes, 'the memory of both is told')
  await server.stop()
  while (isAlive(child)) await new Promise(resolve => setTimeout(resolve, 50))
  t.notOk(isAlive(server.pid))
})

t.test('shows the log of a server that ends before it is ready', async t => {
  const options = program(t, 'console.log("no model"); process.exit(1)')
  await t.rejects(startServer(options), { message: /ended \(1\) before it was ready\nno model/ })
})

t.test('reads what memory a process holds', { skip: NO_PROC }, async t => {
  const { residentBytes: found, peakBytes } = readProcessMemory(process.pid)!
  t.ok(found > 20e6 && found <= peakBytes, `${found}, ${peakBytes}`)
  const sampled = await residentBytes(process.pid, 3, 1)
  t.ok(Math.abs(sampled - found) < 100e6, String(sampled))
})
