import type { FastifyReply } from 'fastify'
import type { RequestTerms } from './request-terms.ts'
import { ClientClosedError, DeadlineExceededError } from '../errors.ts'

/**
 * Runs `work` for as long as somebody waits for it: its signal aborts with ClientClosedError when the connection closes before the reply,
 * and with DeadlineExceededError when its time is up. What does not heed the signal is left to finish unheard.
 *
 * Fastify's own `request.signal` aborts as soon as the body has been read, since Node closes a request then; the reply's `close` does not.
 *
 * @throws the signal's reason, or what `work` throws
 */
export async function whileWanted<T> (reply: FastifyReply, { deadline, timeoutMs }: RequestTerms, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = idle.pop() ?? new AbortController()
  const { signal } = controller
  const onClose = (): void => { if (!reply.raw.writableEnded) controller.abort(new ClientClosedError()) }
  const timer = setTimeout(() => { controller.abort(new DeadlineExceededError(timeoutMs)) }, Math.max(0, deadline - performance.now()))
  reply.raw.once('close', onClose)
  if (reply.raw.destroyed) onClose()
  try {
    const done = await unlessAborted(signal, work(signal))
    if (!signal.aborted && idle.length < MOST_IDLE) idle.push(controller)
    return done
  } finally {
    clearTimeout(timer)
    reply.raw.off('close', onClose)
  }
}

/**
 * Those of requests that were answered well, whose work is over and listens no more: Node changes the prototype of each new signal, which then takes a hidden class of its own
 * in old memory.
 */
const idle: AbortController[] = []
const MOST_IDLE = 256

async function unlessAborted<T> (signal: AbortSignal, work: Promise<T>): Promise<T> {
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => { reject(signal.reason as Error) }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.finally(() => { signal.removeEventListener('abort', onAbort) }).then(resolve, reject)
  })
}
