import type { FastifyRequest } from 'fastify'
import { BadRequestError, BodyTooLargeError, TooManyFilesError } from '../errors.ts'
import { decodeBase64 } from '../prediction/tensor-json/base64.ts'
import { onlyField } from './json-body.ts'

export interface ImageBody {
  readonly images: Uint8Array[]
  /** The client gave several, or a list: the reply is a list too. */
  readonly isList: boolean
}

export interface ImageBodyLimits {
  readonly bodyLimitBytes: number
  readonly maxFiles: number
}

/**
 * The images of a request: multipart files, a raw body, or base64 in JSON.
 *
 * @throws BadRequestError if there is none or it is not what it says; TooManyFilesError, BodyTooLargeError
 */
export async function readImages (request: FastifyRequest, limits: ImageBodyLimits): Promise<ImageBody> {
  if (request.isMultipart()) return await readMultipart(request, limits)
  const { body } = request
  if (body === undefined) throw new BadRequestError('There is no body; send an image')
  if (Buffer.isBuffer(body)) return readRaw(body)
  return readJson(body, limits)
}

function readRaw (body: Buffer): ImageBody {
  if (body.length === 0) throw new BadRequestError('The body is empty; send an image')
  return { images: [body], isList: false }
}

async function readMultipart (request: FastifyRequest, limits: ImageBodyLimits): Promise<ImageBody> {
  const images = await readFiles(request, limits).catch((error: unknown) => { throw asFormError(error) })
  if (images.length === 0) throw new BadRequestError('The form holds no file; send one in any field')
  return { images, isList: images.length > 1 }
}

/** The parser's complaints about a form are plain errors without a code. */
function asFormError (error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error) return error
  return Object.assign(new BadRequestError(`The form can not be read: ${error.message}`), { cause: error })
}

/** Every file counts, whatever its field is called; other fields are skipped. */
async function readFiles (request: FastifyRequest, { bodyLimitBytes, maxFiles }: ImageBodyLimits): Promise<Uint8Array[]> {
  const images: Uint8Array[] = []
  let left = bodyLimitBytes
  for await (const part of request.files({ limits: { files: maxFiles, fileSize: bodyLimitBytes } })) {
    const chunks: Buffer[] = []
    for await (const chunk of part.file as AsyncIterable<Buffer>) {
      left -= chunk.length
      if (left < 0) throw new BodyTooLargeError(`${bodyLimitBytes} bytes`)
      chunks.push(chunk)
    }
    images.push(Buffer.concat(chunks))
  }
  return images
}

function readJson (body: unknown, { maxFiles }: ImageBodyLimits): ImageBody {
  const { key, value } = onlyField(body, ['image', 'images'])
  if (key === 'image') return { images: [fromBase64(value, '"image"')], isList: false }
  if (!Array.isArray(value) || value.length === 0) throw new BadRequestError('"images" is not a list of at least one base64 string')
  if (value.length > maxFiles) throw new TooManyFilesError(maxFiles)
  return { images: value.map((image, index) => fromBase64(image, `"images"[${index}]`)), isList: true }
}

/** @param value base64, or a data URL of it */
function fromBase64 (value: unknown, place: string): Uint8Array {
  const bytes = typeof value === 'string' ? decodeBase64(withoutPrefix(value)) : undefined
  if (bytes === undefined || bytes.length === 0) throw new BadRequestError(`${place} is not an image in base64`)
  return bytes
}

/** @see RFC 2397 */
function withoutPrefix (text: string): string {
  if (!text.startsWith('data:')) return text
  const comma = text.indexOf(',')
  return text.slice(0, comma).endsWith(';base64') ? text.slice(comma + 1) : text
}
