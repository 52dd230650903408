import type { FastifyRequest } from 'fastify'
import { BadRequestError } from '../errors.ts'
import type { Reservation } from '../batching/admission.ts'
import type { Priority } from '../batching/run-request.ts'
import { requireTrace } from './observe.ts'

/** How long a client waits, and how urgent its request is. */
export interface RequestTerms {
  /** Milliseconds from the request's headers on. */
  readonly timeoutMs: number
  /** When they are over, in the clock of `performance.now`. */
  readonly deadline: number
  readonly priority: Priority
  /** The place that was kept for it when its headers came. */
  readonly reservation?: Reservation | undefined
}

/**
 * What a request says of its time and urgency: `?timeout=<milliseconds>`, `X-Request-Deadline` (milliseconds since 1970, or a date as in RFC 3339), and
 * `X-Request-Priority: low`. The earliest deadline counts, the server's own among them.
 *
 * @param longestMs the server's own limit
 * @throws BadRequestError if one of them is not what it should be
 */
export function readTerms (request: FastifyRequest, longestMs: number): RequestTerms {
  const { timeout } = request.query as { timeout?: unknown }
  const { 'x-request-deadline': date, 'x-request-priority': priority } = request.headers
  const { startedAt } = requireTrace(request)
  const timeoutMs = Math.min(longestMs, timeout === undefined ? Infinity : readTimeout(timeout), date === undefined ? Infinity : performance.now() - startedAt + readDeadline(String(date)) - Date.now())
  return { timeoutMs: Math.max(0, Math.round(timeoutMs)), deadline: startedAt + timeoutMs, priority: readPriority(priority), reservation: request.reservation }
}

function readTimeout (text: unknown): number {
  if (typeof text === 'string' && /^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text)
  throw new BadRequestError(`"timeout" is a whole number of milliseconds above 0, not "${String(text).slice(0, 40)}"`)
}

/** @returns milliseconds since 1970 */
function readDeadline (text: string): number {
  const at = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isNaN(at)) return at
  throw new BadRequestError(`"X-Request-Deadline" is a number of milliseconds since 1970 or a date, not "${text.slice(0, 40)}"`)
}

function readPriority (text: string | string[] | undefined): Priority {
  if (text === undefined || text === 'normal') return 'normal'
  if (text === 'low') return 'low'
  throw new BadRequestError(`"X-Request-Priority" is "normal" or "low", not "${String(text).slice(0, 40)}"`)
}
