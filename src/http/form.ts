import { MIMEType } from 'node:util'
import { BadRequestError, TooManyFilesError } from '../errors.ts'

/** Parts that a form may have, as many as @fastify/multipart allows. */
const MAX_PARTS = 1000
/** Bytes that the headers of a part may have. */
const MAX_HEADER_BYTES = 8192
const HEADERS_END = '\r\n\r\n'
/** A parameter of a header: its name and its value, quoted or not. @see RFC 9110, 5.6.6 */
const PARAMETER = /\s*;\s*([^\s=;]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^";]*)/y

/**
 * The files of a form that is there whole, in their order, as pieces of its memory. Every part that names a file or is an `application/octet-stream` is one, whatever its
 * field is called; @fastify/multipart, which reads forms of unknown length, takes the same for one.
 *
 * @param contentType of the request
 * @throws BadRequestError if it is no form or does not end as one; TooManyFilesError
 * @see RFC 7578 and RFC 2046, 5.1.1
 */
export function filesOfForm (form: Uint8Array<ArrayBuffer>, contentType: string, maxFiles: number): Uint8Array<ArrayBuffer>[] {
  const bytes = Buffer.from(form.buffer, form.byteOffset, form.byteLength)
  const files: Uint8Array<ArrayBuffer>[] = []
  for (const { start, end } of partsOf(bytes, boundaryOf(contentType))) {
    const headersEnd = bytes.subarray(start, end).indexOf(HEADERS_END)
    if (headersEnd < 0 || !isFile(readHeaders(bytes.subarray(start, start + headersEnd)))) continue
    if (files.length === maxFiles) throw new TooManyFilesError(maxFiles)
    files.push(form.subarray(start + headersEnd + HEADERS_END.length, end))
  }
  return files
}

function boundaryOf (contentType: string): string {
  const boundary = parseType(contentType)?.params.get('boundary')
  if (!boundary) throw new BadRequestError('The form can not be read: its Content-Type names no boundary')
  return boundary
}

/** @returns undefined if it is no content type */
function parseType (contentType: string): MIMEType | undefined {
  try {
    return new MIMEType(contentType)
  } catch {
    return undefined
  }
}

/** Where the parts lie, headers and content: from behind one boundary to before the next. */
function * partsOf (bytes: Buffer, boundary: string): Generator<{ start: number, end: number }> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  let start = startOfFirst(bytes, delimiter)
  for (let parts = 0; !isLast(bytes, start); parts++) {
    if (parts === MAX_PARTS) throw new BadRequestError(`The form can not be read: it has more than ${MAX_PARTS} parts`)
    const end = nextBoundary(bytes, delimiter, start)
    yield { start, end }
    start = end + delimiter.length
  }
}

/** @returns the place behind the first boundary, which is where the form starts or on a line of its own */
function startOfFirst (bytes: Buffer, delimiter: Buffer): number {
  const atStart = delimiter.subarray(2)
  if (bytes.subarray(0, atStart.length).equals(atStart)) return atStart.length
  return nextBoundary(bytes, delimiter, 0) + delimiter.length
}

function nextBoundary (bytes: Buffer, delimiter: Buffer, from: number): number {
  const found = bytes.indexOf(delimiter, from)
  if (found < 0) throw new BadRequestError('The form can not be read: its boundary or its end is missing')
  return found
}

/** Whether the boundary that ends here is the closing one, behind which nothing counts. */
function isLast (bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at, at + 2) === '--'
}

type Headers = ReadonlyMap<string, string>

/** @returns lower-case names → values */
function readHeaders (bytes: Buffer): Headers {
  if (bytes.length > MAX_HEADER_BYTES) throw new BadRequestError(`The form can not be read: the headers of a part are longer than ${MAX_HEADER_BYTES} bytes`)
  const lines = bytes.toString('latin1').split('\r\n').map(line => line.split(/:(.*)/s, 2))
  return new Map(lines.map(([name = '', value = '']) => [name.toLowerCase(), value.trim()]))
}

function isFile (headers: Headers): boolean {
  const disposition = headers.get('content-disposition') ?? ''
  if (!/^form-data(?![^\s;])/i.test(disposition)) return false
  if (/^application\/octet-stream(?![^\s;])/i.test(headers.get('content-type') ?? '')) return true
  const names = parameterNames(disposition)
  return names.has('filename') || names.has('filename*')
}

/** In lower case; those behind one that can not be read are left out. */
function parameterNames (header: string): Set<string> {
  const names = new Set<string>()
  PARAMETER.lastIndex = header.search(/[\s;]|$/)
  for (let match = PARAMETER.exec(header); match !== null; match = PARAMETER.exec(header)) names.add(match[1]!.toLowerCase())
  return names
}
