import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { BodyTooLargeError } from '../errors.ts'
import type { ByteMemory } from '../prediction/byte-memory.ts'
import { Turn } from '../turn.ts'

/** How many bytes a request may still send. */
export interface BytesLeft {
  readonly limitBytes: number
  left: number
}

type Done<Value> = (error: Error | null, value?: Value) => void

/** Chunks of no more bytes than this are put together at once. */
const AT_ONCE_BYTES = 2 ** 20

/**
 * Reads a stream to its end, into one piece of memory.
 *
 * @throws BodyTooLargeError, what the stream fails with or has failed with already
 */
export async function readWhole (stream: Readable, memory: ByteMemory, bytes: BytesLeft): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await new Promise<Buffer[]>((resolve, reject) => {
    readChunks(stream, bytes, (error, chunks) => { if (error === null) resolve(chunks!); else reject(error) })
  })
  return await join(chunks, memory.take(sizeOf(chunks)))
}

/**
 * A content type parser that takes a request's whole body. For long ones: Fastify's own puts them together at a stretch, which holds the event loop for 20 to 35 ms where they
 * are of 32 MiB. By callback, since a promise more made a small request a sixth dearer.
 *
 * @param app limits the body
 * @param parse makes of the body what the route gets; a promise where that takes long
 * @throws BodyTooLargeError, what `parse` throws
 */
export function wholeBody<Value> ({ initialConfig }: Pick<FastifyInstance, 'initialConfig'>, parse: (body: Buffer) => Value | Promise<Value>) {
  const limitBytes = initialConfig.bodyLimit!
  return (_request: unknown, body: IncomingMessage, done: Done<Value>): void => {
    const give = (whole: Buffer): void => {
      let value: Value | Promise<Value>
      try {
        value = parse(whole)
      } catch (error) {
        done(error as Error)
        return
      }
      if (value instanceof Promise) value.then(parsed => { done(null, parsed) }, done)
      else done(null, value)
    }
    readChunks(body, { limitBytes, left: limitBytes }, (error, chunks = []) => {
      const size = sizeOf(chunks)
      if (error !== null) done(error)
      else if (size <= AT_ONCE_BYTES) give(Buffer.concat(chunks, size))
      else join(chunks, new Uint8Array(size)).then(({ buffer }) => { give(Buffer.from(buffer)) }, done)
    })
  }
}

function readChunks (stream: Readable, bytes: BytesLeft, done: Done<Buffer[]>): void {
  if (stream.destroyed) {
    done(stream.errored ?? new Error('The body was closed before it was read'))
    return
  }
  const chunks: Buffer[] = []
  const onData = (chunk: Buffer): void => {
    bytes.left -= chunk.length
    if (bytes.left >= 0) chunks.push(chunk)
    else end(new BodyTooLargeError(`${bytes.limitBytes} bytes`))
  }
  const onEnd = (): void => { end(null) }
  const onClose = (): void => { end(new Error('The body was closed before its end')) }
  const end = (error: Error | null): void => {
    stream.removeListener('data', onData)
    stream.removeListener('end', onEnd)
    stream.removeListener('close', onClose)
    stream.removeListener('error', end)
    if (error !== null) stream.on('error', () => {}) // another one is no news, and would end the process
    done(error, chunks)
  }
  stream.on('data', onData)
  stream.on('end', onEnd)
  stream.on('close', onClose)
  stream.on('error', end)
}

function sizeOf (chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}

/** In turns with other requests. */
async function join (chunks: readonly Buffer[], whole: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const turn = new Turn()
  let at = 0
  for (const chunk of chunks) {
    if (turn.isOver()) await turn.next()
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
