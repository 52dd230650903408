import type { FastifyInstance } from 'fastify'
import { BodyTooLargeError } from '../errors.ts'

/** Refuses a body that says it is too large before any of it is read. One that does not say is cut off while it is read. */
export function limitBodies (app: FastifyInstance, limitBytes: number): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > limitBytes
    done(isTooLarge ? new BodyTooLargeError(`${limitBytes} bytes`) : undefined)
  })
}
