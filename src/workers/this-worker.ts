import cluster from 'node:cluster'
import { createFiguresExchange, type FiguresExchange, type PrimaryChannel } from './figures-exchange.ts'
import type { PrimaryMessage, WorkerMessage } from './messages.ts'
import { hasCompany } from './worker-environment.ts'

/** This process as one of several. */
export interface ThisWorker {
  readonly id: number
  readonly exchange: FiguresExchange
  /** Others ran when it was started: it takes its part of the requests once its models are there, who would else be refused. */
  readonly hasCompany: boolean
  /** TensorFlow is there, and the port open: from now on an unexpected end is one, and no refusal. */
  tellServing (): void
  /** A model runs on a GPU. */
  tellGpu (): void
}

/** @returns undefined if this process serves alone, or watches over those that serve */
export function thisWorker (): ThisWorker | undefined {
  if (cluster.worker === undefined) return undefined
  const send = (message: WorkerMessage): void => { process.send?.(message, undefined, {}, () => {}) } // a primary that is gone ends this process too
  const onMessage: PrimaryChannel['onMessage'] = take => { process.on('message', message => { take(message as PrimaryMessage) }) }
  return {
    id: cluster.worker.id,
    hasCompany: hasCompany(process.env),
    exchange: createFiguresExchange({ send, onMessage }),
    tellServing: () => { send({ kind: 'serving' }) },
    tellGpu: () => { send({ kind: 'gpu' }) }
  }
}
