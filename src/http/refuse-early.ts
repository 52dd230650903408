import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Refusal } from '../prediction/refuse-early.ts'
import { requireTrace } from './observe.ts'
import { parseVersion } from './prediction-query.ts'
import { readTerms } from './request-terms.ts'

/** Which model a request names, and which version, as they stand in it. */
interface Named {
  readonly model?: unknown
  readonly version?: unknown
}

/** Answers requests that are not let in before their bodies are read. What is wrong with a request otherwise is the route's to say. */
export function refuseEarly (app: FastifyInstance, refusal: Refusal, timeoutMs: number, nameOf: (request: FastifyRequest) => Named): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const heading = readHeading(request, timeoutMs, nameOf)
    done(heading && refusal(heading))
  })
}

/** @returns undefined if it can not be read */
function readHeading (request: FastifyRequest, timeoutMs: number, nameOf: (request: FastifyRequest) => Named): Parameters<Refusal>[0] | undefined {
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
