import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What a client's own request id may look like; any other is replaced, so that logs and headers can't be written by clients. */
const SANE = /^[\w.-]{1,128}$/

/** The client's `x-request-id` where it is sane, else a new one. */
export function requestId ({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && SANE.test(given) ? given : randomUUID()
}
