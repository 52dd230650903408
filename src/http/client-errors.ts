import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import { BadRequestError, HeadersTooLargeError, RequestTimeoutError } from '../errors.ts'
import type { Metrics } from '../metrics.ts'
import { errorBody } from './error-replies.ts'
import type { Connections } from './observe.ts'
import type { ReplyError } from './reply-error.ts'
import { JSON_TYPE } from './reply-json.ts'

export interface ClientErrorOptions {
  readonly connections: Connections
  readonly metrics: Metrics
  readonly log: Logger
  readonly requestTimeoutMs: number
}

/**
 * Answers what Node's HTTP parser refuses (broken syntax, headers too large, a request that never ends) in the shape of every other error,
 * then closes the connection.
 */
export function clientErrorHandler ({ connections, metrics, log, requestTimeoutMs }: ClientErrorOptions) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (isGone(error) || socket.destroyed) {
      socket.destroy()
      return
    }
    const known = toReplyError(error, requestTimeoutMs)
    const requestId = randomUUID()
    connections.refused.set(socket, known)
    if ((connections.open.get(socket) ?? 0) === 0) { // else the request under way tells of it
      metrics.observeRequest({ route: 'none', method: 'none', status: known.statusCode, seconds: 0, trace: undefined, code: known.code })
      log.info({ status: known.statusCode, code: known.code, requestId })
    }
    if (socket.writable) socket.write(rawReply(known, requestId))
    socket.destroySoon()
  }
}

/** The client hung up, maybe half way through a request. */
function isGone ({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'HPE_INVALID_EOF_STATE'
}

function toReplyError (error: NodeJS.ErrnoException, requestTimeoutMs: number): ReplyError {
  return choose(error, requestTimeoutMs) as ReplyError
}

function choose ({ code, message }: NodeJS.ErrnoException, requestTimeoutMs: number): Error {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new RequestTimeoutError(requestTimeoutMs / 1000)
  if (code === 'HPE_HEADER_OVERFLOW') return new HeadersTooLargeError()
  return new BadRequestError(`The request is not HTTP: ${message}`)
}

function rawReply (error: ReplyError, requestId: string): string {
  const body = errorBody(error, requestId)
  return [
    `HTTP/1.1 ${error.statusCode} ${STATUS_CODES[error.statusCode] ?? ''}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'server-timing: total;dur=0',
    'connection: close',
    '',
    body
  ].join('\r\n')
}
