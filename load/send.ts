import { Agent, request, type IncomingHttpHeaders } from 'node:http'
import type { LoadRequest } from './closed-loop.ts'

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** From the first byte sent to the last one received. */
  ms: number
}

export interface SendOptions {
  agent?: Agent
  /** Of silence. */
  timeoutMs?: number
  /** Gives the request up. */
  signal?: AbortSignal
}

/** Keeps connections open between requests. The caller destroys it. */
export function keepAliveAgent (): Agent {
  return new Agent({ keepAlive: true })
}

/**
 * Sends a request as it stands: unlike fetch, this leaves `..` in a path alone, and headers that are wrong.
 *
 * @throws Error if there is no whole reply within `timeoutMs`
 */
export async function send (url: string, { path, method = 'POST', headers = {}, body }: LoadRequest, { timeoutMs = 10_000, ...given }: SendOptions = {}): Promise<Reply> {
  const startedAt = performance.now()
  return await new Promise((resolve, reject) => {
    const sent = request(url, { path, method, headers, timeout: timeoutMs, ...given }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString(), ms: performance.now() - startedAt }))
    })
    sent.once('timeout', () => sent.destroy(new Error(`There was no reply to ${method} ${path} within ${timeoutMs} ms`)))
    sent.once('error', reject)
    sent.end(body)
  })
}
