import {
  BadRequestError, BodyTooLargeError, ClientClosedError, InternalError, RouteNotFoundError, TooManyFilesError, UnsupportedMediaTypeError
} from '../errors.ts'

/** An error of our table that a client may see. */
export interface ReplyError extends Error {
  readonly code: string
  readonly statusCode: number
  /** With 503: when to try again. */
  readonly retryAfterSeconds?: number
}

/** What the messages of some errors name. */
export interface ReplyErrorContext {
  readonly method: string
  /** Short enough for a message. */
  readonly path: string
  readonly bodyLimitBytes: number
  readonly maxFiles: number
  /** The request's Content-Type. */
  readonly contentType: string | undefined
  /** Content types that the route reads; undefined where it reads none. */
  readonly accepts: string | undefined
}

/**
 * The error of our table that a reply carries: ours as it is; Fastify's, its plugins' and Node's by their code; anything else, which is a
 * fault of ours or of the machine, as InternalError with the fault as its cause.
 */
export function toReplyError (error: unknown, context: ReplyErrorContext): ReplyError {
  if (isOurs(error)) return error
  const { code = '', statusCode = 500, message } = error as Partial<ReplyError>
  const known = Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined
  if (known !== undefined) return withCause(known(context), error)
  const isClients = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 && code.startsWith('FST_')
  return withCause(isClients ? new BadRequestError(message ?? code) : new InternalError(), error)
}

/** 500 and more are ours to look at. */
export function isFault ({ statusCode }: Pick<ReplyError, 'statusCode'>): boolean {
  return statusCode >= 500 && statusCode !== 503 && statusCode !== 504
}

const KNOWN: Readonly<Record<string, (context: ReplyErrorContext) => ReplyError>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: bodyTooLarge,
  FST_REQ_FILE_TOO_LARGE: bodyTooLarge,
  FST_FILES_LIMIT: ({ maxFiles }) => reply(new TooManyFilesError(maxFiles)),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ({ contentType, accepts }) => reply(new UnsupportedMediaTypeError(
    contentType === undefined ? 'A body without Content-Type' : contentType.slice(0, 100), accepts ?? 'none')),
  FST_ERR_MAX_PARAM_LENGTH: ({ method, path }) => reply(new RouteNotFoundError(method, path)),
  FST_ERR_BAD_URL: () => reply(new BadRequestError('The path is not percent-encoded UTF-8')),
  ECONNRESET: () => reply(new ClientClosedError()),
  ERR_STREAM_PREMATURE_CLOSE: () => reply(new ClientClosedError()),
  FST_PREMATURE_CLOSE: () => reply(new ClientClosedError())
}

function bodyTooLarge ({ bodyLimitBytes }: ReplyErrorContext): ReplyError {
  return reply(new BodyTooLargeError(`${bodyLimitBytes} bytes`))
}

function isOurs (error: unknown): error is ReplyError {
  return error instanceof Error && 'statusCode' in error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('SERVE_')
}

/** @fastify/error types a status as perhaps missing; in our table none is. */
function reply (error: Error): ReplyError {
  return error as ReplyError
}

function withCause (error: Error, cause: unknown): ReplyError {
  return Object.assign(error as ReplyError, { cause })
}
