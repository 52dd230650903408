import { createServer, type Server, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Connections that are accepted in one turn of the event loop, at most. */
const ACCEPTORS = 32
/** Connections that may wait to be accepted; the kernel allows fewer where `net.core.somaxconn` says so. One that finds no place tries again after a second, then after two and four more. */
export const BACKLOG = 4096

/**
 * Accepts many connections in a turn of the event loop. libuv accepts one for each listening handle: where turns are long because there is much to do, clients that
 * open a connection each would wait for seconds to be heard, and to be told that they come too often. So there are as many handles, all of the one socket.
 *
 * Where the process does not accept itself, in a worker of several, nothing is added.
 *
 * @param duplicate gives another descriptor of the same socket. @see dup(2)
 */
export function acceptSideBySide (app: FastifyInstance, duplicate: (descriptor: number) => number): void {
  const acceptors: Server[] = []
  let closed: Promise<unknown> = Promise.resolve()
  app.addHook('onListen', async () => {
    const descriptor = descriptorOf(app.server)
    if (descriptor === undefined) return
    await Promise.all(Array.from({ length: ACCEPTORS - 1 }, async () => { acceptors.push(await openAcceptor(app, duplicate(descriptor))) }))
  })
  app.addHook('preClose', async () => {
    closed = Promise.all(acceptors.map(async acceptor => await new Promise(resolve => acceptor.close(resolve))))
  })
  // The HTTP server knows the requests on these connections, but waits only for connections that it accepted itself.
  app.addHook('onClose', async () => { await closed })
}

/** With the options that Node's HTTP server has for its own connections. */
async function openAcceptor (app: FastifyInstance, fd: number): Promise<Server> {
  const acceptor = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => { app.server.emit('connection', socket) })
  return await new Promise((resolve, reject) => {
    acceptor.once('error', reject)
    acceptor.listen({ fd, backlog: BACKLOG, exclusive: true }, () => resolve(acceptor)) // exclusive: a worker would else ask its primary for the descriptor
  })
}

/** Of the socket that a server listens on; undefined where another process does. */
function descriptorOf (server: FastifyInstance['server']): number | undefined {
  const { fd = -1 } = (server as unknown as { _handle: { fd?: number } | null })._handle ?? {}
  return fd < 0 ? undefined : fd
}
