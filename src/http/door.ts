import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Reservation } from '../batching/admission.ts'
import type { Door, Heading } from '../prediction/door.ts'
import type { DirectReplies } from './direct-replies.ts'
import { requireTrace } from './observe.ts'
import { parseVersion } from './prediction-query.ts'
import type { ReplyError } from './reply-error.ts'
import { readTerms } from './request-terms.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where no place was kept. */
    reservation: Reservation | undefined
  }
}

export interface DoorOptions {
  readonly door: Door
  readonly replies: DirectReplies
  /** The server's own limit of a request's time. */
  readonly timeoutMs: number
}

/** Which model a request names, and which version, as they stand in it. */
interface Named {
  readonly model?: unknown
  readonly version?: unknown
}

/**
 * Keeps a place for each request while its body is read, until it is over; those who get none are answered before theirs is. What is wrong with a request otherwise
 * is the route's to say.
 */
export function askAtDoor (app: FastifyInstance, { door, replies, timeoutMs }: DoorOptions, nameOf: (request: FastifyRequest) => Named): void {
  app.decorateRequest('reservation', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const heading = readHeading(request, timeoutMs, nameOf)
    try {
      const reservation = heading && door(heading)
      request.reservation = reservation
      if (reservation !== undefined) reply.raw.once('close', reservation.giveUp)
    } catch (error) {
      replies.refuse(request, reply, error as ReplyError)
      return
    }
    done()
  })
}

/** @returns undefined if it can not be read */
function readHeading (request: FastifyRequest, timeoutMs: number, nameOf: (request: FastifyRequest) => Named): Heading | undefined {
  try {
    const { model, version } = nameOf(request)
    if (!isTextOrNothing(model) || !isTextOrNothing(version)) return undefined
    const { deadline } = readTerms(request, timeoutMs)
    return { model, version: version === undefined ? undefined : parseVersion(version), deadline, trace: requireTrace(request) }
  } catch {
    return undefined
  }
}

function isTextOrNothing (value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** `?model=…&version=…`. */
export function namedInQuery ({ query }: FastifyRequest): Named {
  return query as Named
}

/** `/v1/models/{name}[/versions/{n}]:predict`. */
export function namedInPath ({ params }: FastifyRequest): Named {
  const { model, version } = params as { model: string, version?: string }
  return { model: withoutVerb(model), version: version && withoutVerb(version) }
}

function withoutVerb (part: string): string {
  return part.replace(/:predict$/, '')
}
