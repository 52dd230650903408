import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BadRequestError, TooManyFilesError } from '../errors.ts'
import type { ByteMemory } from '../prediction/byte-memory.ts'
import { decodeBase64InPieces } from '../prediction/tensor-json/base64.ts'
import { inTurns, type Pieces } from '../prediction/tensor-json/in-turns.ts'
import { onlyField } from './json-body.ts'
import { filesOfForm } from './form.ts'
import { readWhole } from './read-whole.ts'

export interface ImageBody {
  readonly images: Uint8Array[]
  /** The client gave several, or a list: the reply is a list too. */
  readonly isList: boolean
  /** When nobody reads the images any more: their memory is used for others. */
  readonly giveBack: () => void
}

export interface ImageBodyOptions {
  readonly memory: ByteMemory
  readonly bodyLimitBytes: number
  readonly maxFiles: number
}

/** Adds what reads raw images: each whole, into memory that is used again. */
export function addRawImages (app: FastifyInstance, options: ImageBodyOptions): void {
  for (const type of [/^image\//, 'application/octet-stream']) {
    app.addContentTypeParser(type, async (_request: FastifyRequest, payload: IncomingMessage) => await readBody(payload, options))
  }
}

async function readBody (body: IncomingMessage, { memory, bodyLimitBytes }: ImageBodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  return await readWhole(body, memory, { limitBytes: bodyLimitBytes, left: bodyLimitBytes })
}

/**
 * The images of a request: multipart files, a raw body, or base64 in JSON.
 *
 * @throws BadRequestError if there is none or it is not what it says; TooManyFilesError, BodyTooLargeError
 */
export async function readImages (request: FastifyRequest, options: ImageBodyOptions): Promise<ImageBody> {
  if (request.isMultipart()) return await readMultipart(request, options)
  const { body } = request
  if (body === undefined) throw new BadRequestError('There is no body; send an image')
  if (body instanceof Uint8Array) return rawImage(body as Uint8Array<ArrayBuffer>, options)
  return await readJson(body, options)
}

function rawImage (body: Uint8Array<ArrayBuffer>, { memory }: ImageBodyOptions): ImageBody {
  if (body.length === 0) throw new BadRequestError('The body is empty; send an image')
  return { images: [body], isList: false, giveBack: () => { memory.give(body) } }
}

async function readMultipart (request: FastifyRequest, options: ImageBodyOptions): Promise<ImageBody> {
  const { images, memory } = request.headers['content-length'] === undefined ? await readFilesByPart(request, options) : await readFilesAtOnce(request, options)
  if (images.length === 0) throw new BadRequestError('The form holds no file; send one in any field')
  return { images, isList: images.length > 1, giveBack: () => { for (const taken of memory) options.memory.give(taken) } }
}

/** Every file counts, whatever its field is called; other fields are skipped. */
interface Files {
  readonly images: Uint8Array<ArrayBuffer>[]
  /** What they lie in, to be given back. */
  readonly memory: readonly Uint8Array<ArrayBuffer>[]
}

/** Reads a form of known length in one piece. On its way through the parser's streams all that a request held would stay until V8 walks the whole heap: docs/decisions/0014. */
async function readFilesAtOnce ({ raw }: FastifyRequest, options: ImageBodyOptions): Promise<Files> {
  const form = await readBody(raw, options)
  return { images: filesOfForm(form, raw.headers['content-type'] ?? '', options.maxFiles), memory: [form] }
}

/** Reads a form of unknown length, of which nothing is kept but its files. */
async function readFilesByPart (request: FastifyRequest, { bodyLimitBytes, maxFiles, memory }: ImageBodyOptions): Promise<Files> {
  const images: Uint8Array<ArrayBuffer>[] = []
  const bytes = { limitBytes: bodyLimitBytes, left: bodyLimitBytes }
  try {
    for await (const part of request.files({ limits: { files: maxFiles, fileSize: bodyLimitBytes } })) {
      images.push(await readWhole(part.file, memory, bytes))
    }
  } catch (error) {
    throw asFormError(error)
  }
  return { images, memory: images }
}

/** The parser's complaints about a form are plain errors without a code. */
function asFormError (error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error
  return Object.assign(new BadRequestError(`The form can not be read: ${error.message}`), { cause: error })
}

async function readJson (body: unknown, { maxFiles }: ImageBodyOptions): Promise<ImageBody> {
  const { key, value } = onlyField(body, ['image', 'images'])
  const isList = key === 'images'
  if (isList && (!Array.isArray(value) || value.length === 0)) throw new BadRequestError('"images" is not a list of at least one base64 string')
  const images = isList ? value as unknown[] : [value]
  if (images.length > maxFiles) throw new TooManyFilesError(maxFiles)
  return { images: await inTurns(fromBase64(images, index => isList ? `"images"[${index}]` : '"image"')), isList, giveBack: () => {} }
}

/** @param values base64, or data URLs of it */
function * fromBase64 (values: readonly unknown[], placeOf: (index: number) => string): Pieces<Uint8Array[]> {
  const images: Uint8Array[] = []
  for (const [index, value] of values.entries()) {
    const bytes = typeof value === 'string' ? yield * decodeBase64InPieces(withoutPrefix(value)) : undefined
    if (bytes === undefined || bytes.length === 0) throw new BadRequestError(`${placeOf(index)} is not an image in base64`)
    images.push(bytes)
    yield
  }
  return images
}

/** @see RFC 2397 */
function withoutPrefix (text: string): string {
  if (!text.startsWith('data:')) return text
  const comma = text.indexOf(',')
  return text.slice(0, comma).endsWith(';base64') ? text.slice(comma + 1) : text
}
