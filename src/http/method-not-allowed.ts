import type { FastifyInstance } from 'fastify'
import { MethodNotAllowedError } from '../errors.ts'
import { shortPath } from './error-replies.ts'

/**
 * Answers 405 with `Allow` where a path exists under other methods.
 *
 * Call it before the routes are added; the function it gives adds the rest, and is to be called after them.
 */
export function watchMethods (app: FastifyInstance): () => void {
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    for (const name of [method].flat()) known.add(name)
    methods.set(url, known)
  })
  return () => { for (const [url, known] of [...methods]) refuseOthers(app, url, [...known]) }
}

function refuseOthers (app: FastifyInstance, url: string, allowed: readonly string[]): void {
  const others = app.supportedMethods.filter(method => !allowed.includes(method))
  const allow = allowed.join(', ')
  app.route({
    method: others,
    url,
    // A hook, since a handler would come only after the body had been read.
    onRequest: (request, reply, done) => {
      reply.header('allow', allow)
      done(new MethodNotAllowedError(request.method, shortPath(request), allow))
    },
    handler: async () => { throw new Error('A refused method was handled. This is a bug.') }
  })
}
