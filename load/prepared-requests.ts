import { connect, type Socket } from 'node:net'
import { HTTPParser } from 'http-parser-js'
import type { LoadRequest } from './closed-loop.ts'

export interface PreparedReply {
  readonly status: number
  /** Whether there was a Retry-After. */
  readonly saysWhen: boolean
  readonly body: string
}

/** There was no whole reply in time. */
export class NoReplyError extends Error {
  override readonly name = 'NoReplyError'
}

/**
 * One request, put into bytes once and sent again and again over connections that stay open, as many as there are requests under way: half of what
 * node:http takes of the cores that the server under test has to share.
 */
export class PreparedRequests {
  readonly #host: string
  readonly #port: number
  readonly #bytes: Buffer
  readonly #idle: Connection[] = []
  readonly #open = new Set<Connection>()

  /** @param url of the server, without a path */
  constructor (url: string, { path, method = 'POST', headers = {}, body = '' }: LoadRequest) {
    const { hostname, port, host } = new URL(url)
    this.#host = hostname
    this.#port = Number(port)
    const content = Buffer.from(body)
    const all = { host, ...headers, 'content-length': String(content.byteLength) }
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.#bytes = Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}\r\n`), content])
  }

  /** @throws NoReplyError if the reply is not there whole within `timeoutMs`, which ends its connection; Error of the connection */
  async send (timeoutMs: number): Promise<PreparedReply> {
    const connection = this.#idle.pop() ?? this.#connect()
    const reply = await connection.ask(this.#bytes, timeoutMs)
    if (connection.isOpen) this.#idle.push(connection)
    return reply
  }

  close (): void {
    for (const connection of this.#open) connection.end()
  }

  #connect (): Connection {
    const connection = new Connection(connect({ host: this.#host, port: this.#port, noDelay: true }), () => {
      this.#open.delete(connection)
      const place = this.#idle.indexOf(connection)
      if (place >= 0) this.#idle.splice(place, 1)
    })
    this.#open.add(connection)
    return connection
  }
}

interface Asked {
  readonly timer: NodeJS.Timeout
  readonly resolve: (reply: PreparedReply) => void
  readonly reject: (error: Error) => void
}

/** A connection with at most one request under way. */
class Connection {
  readonly #socket: Socket
  #asked: Asked | undefined
  isOpen = true

  constructor (socket: Socket, onClose: () => void) {
    this.#socket = socket
    const parser = this.#parser()
    socket.on('data', (bytes: Buffer) => {
      const outcome = parser.execute(bytes)
      if (outcome instanceof Error) this.#fail(outcome)
    })
    socket.once('end', () => { parser.finish() })
    socket.once('error', error => { this.#fail(error) })
    socket.once('close', () => {
      this.isOpen = false
      onClose()
      this.#fail(Object.assign(new Error('The connection was closed before the reply was over'), { code: 'ECONNRESET' }))
    })
  }

  async ask (bytes: Buffer, timeoutMs: number): Promise<PreparedReply> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => { this.#fail(new NoReplyError(`There was no whole reply within ${timeoutMs} ms`)) }, timeoutMs)
      this.#asked = { timer, resolve, reject }
      this.#socket.write(bytes)
    })
  }

  end (): void {
    this.#socket.destroy()
  }

  #parser (): InstanceType<typeof HTTPParser> {
    const parser = new HTTPParser(HTTPParser.RESPONSE)
    let status = 0
    let saysWhen = false
    let body: Buffer[] = []
    parser[HTTPParser.kOnHeadersComplete] = ({ statusCode, headers, shouldKeepAlive }) => {
      status = statusCode
      saysWhen = headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'retry-after')
      body = []
      if (!shouldKeepAlive) this.isOpen = false
    }
    parser[HTTPParser.kOnBody] = (chunk, offset, length) => { body.push(chunk.subarray(offset, offset + length)) }
    parser[HTTPParser.kOnMessageComplete] = () => { this.#settle(({ resolve }) => { resolve({ status, saysWhen, body: Buffer.concat(body).toString() }) }) }
    return parser
  }

  #fail (error: Error): void {
    this.isOpen = false
    this.#settle(({ reject }) => { reject(error) })
    this.#socket.destroy()
  }

  #settle (how: (asked: Asked) => void): void {
    const asked = this.#asked
    if (asked === undefined) return
    this.#asked = undefined
    clearTimeout(asked.timer)
    how(asked)
  }
}
