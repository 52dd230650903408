import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { Server } from '../../src/server.ts'

/** Listens on a free loopback port. */
export async function listen (server: Server): Promise<number> {
  await server.listen({ host: '127.0.0.1', port: 0 })
  return (server.server.address() as AddressInfo).port
}

/** A connection whose every byte the test writes. */
export interface RawConnection {
  readonly socket: Socket
  /** All that came so far. */
  readonly received: () => string
  /** Resolves when what came matches. */
  readonly untilReceived: (pattern: RegExp) => Promise<string>
  /** Resolves with all that came when the other side has closed. */
  readonly untilClosed: () => Promise<string>
}

export async function openConnection (t: Test, port: number): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => { socket.destroy() })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk })
  socket.on('error', () => {})
  const closed = new Promise<string>(resolve => { socket.once('close', () => { resolve(text) }) })
  await once(socket, 'connect')
  return {
    socket,
    received: () => text,
    untilReceived: async pattern => {
      while (!pattern.test(text)) await once(socket, 'data')
      return text
    },
    untilClosed: async () => await closed
  }
}

/** A reply's JSON body. */
export function jsonOf (reply: string): unknown {
  return JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4))
}
