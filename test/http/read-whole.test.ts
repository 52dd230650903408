import { randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { readWhole, wholeBody } from '../../src/http/read-whole.ts'
import { ByteMemory } from '../../src/prediction/byte-memory.ts'
import type { IncomingMessage } from 'node:http'

const MIB = 2 ** 20

function limit (limitBytes: number): { limitBytes: number, left: number } {
  return { limitBytes, left: limitBytes }
}

/** A body through the parser: what the route would get. */
async function parse<Value> (stream: Readable, limitBytes: number, of: (body: Buffer) => Value | Promise<Value>): Promise<Value> {
  return await new Promise((resolve, reject) => {
    wholeBody({ initialConfig: { bodyLimit: limitBytes } }, of)(undefined, stream as IncomingMessage, (error, value) => { if (error === null) resolve(value!); else reject(error) })
  })
}

function chunksOf (whole: Buffer, sizeBytes: number): Readable {
  return Readable.from((function * () {
    for (let at = 0; at < whole.length; at += sizeBytes) yield whole.subarray(at, at + sizeBytes)
  })(), { objectMode: false })
}

t.test('a body is read whole, be it of one chunk, of many or of none', async t => {
  for (const [sizeBytes, chunkBytes] of [[0, 1], [10, 10], [10, 3], [MIB, 65536], [MIB + 1, 65536], [20 * MIB, 65536]] as const) {
    const whole = randomBytes(sizeBytes)
    t.ok(whole.equals(await parse(chunksOf(whole, chunkBytes), 32 * MIB, body => body)), `${sizeBytes} bytes in chunks of ${chunkBytes}`)
    t.ok(whole.equals(await readWhole(chunksOf(whole, chunkBytes), new ByteMemory(), limit(32 * MIB))), 'and into memory that is used again')
  }
})

t.test('others get their turn while a long body is put together', async t => {
  const whole = Buffer.alloc(64 * MIB)
  let rounds = 0
  const stream = chunksOf(whole, 8 * MIB)
  stream.once('end', () => { setImmediate(function count () { rounds++; if (rounds < 1000) setImmediate(count) }) })
  const body = await parse(stream, whole.length, body => body)
  t.equal(body.length, whole.length)
  t.ok(rounds > 1, `${rounds} rounds of the event loop`)
})

t.test('what is made of a body may take its time, and fail', async t => {
  t.equal(await parse(chunksOf(Buffer.from('four'), 4), 100, async ({ length }) => await Promise.resolve(length)), 4)
  await t.rejects(parse(chunksOf(Buffer.from('four'), 4), 100, async () => await Promise.reject(new Error('not this'))), { message: 'not this' })
  await t.rejects(parse(chunksOf(Buffer.from('four'), 4), 100, () => { throw new Error('nor this') }), { message: 'nor this' })
})

t.test('a body above the limit is refused, in the middle of it', async t => {
  await t.rejects(parse(chunksOf(Buffer.alloc(100), 10), 99, body => body), { code: 'SERVE_BODY_TOO_LARGE' })
  await t.rejects(readWhole(chunksOf(Buffer.alloc(100), 10), new ByteMemory(), limit(99)), { code: 'SERVE_BODY_TOO_LARGE' })
  t.equal(await parse(chunksOf(Buffer.alloc(100), 10), 100, ({ length }) => length), 100)
})

t.test('what breaks a body off is told, once, and what follows it harms nobody', async t => {
  const broken = new PassThrough()
  broken.write('half')
  const read = parse(broken, 100, body => body)
  broken.emit('error', new Error('the client has gone'))
  await t.rejects(read, { message: 'the client has gone' })
  t.doesNotThrow(() => broken.emit('error', new Error('and again')))

  const closed = new PassThrough()
  const reading = readWhole(closed, new ByteMemory(), limit(100))
  closed.destroy()
  await t.rejects(reading, { message: /closed before its end/ })

  const failed = new PassThrough().on('error', () => {})
  failed.destroy(new Error('before it was read'))
  await t.rejects(parse(failed, 100, body => body), { message: 'before it was read' })
})

t.test('what the parser makes of a body reaches the route, its error too', async t => {
  t.strictSame(await parse(chunksOf(Buffer.from('[1, 2]'), 2), 100, body => JSON.parse(body.toString()) as unknown), [1, 2])
  await t.rejects(parse(chunksOf(Buffer.from('[1, '), 2), 100, body => JSON.parse(body.toString()) as unknown), SyntaxError)
})
