import { MetricsIncompleteError } from '../errors.ts'
import type { Figures, PrimaryMessage, WorkerMessage } from './messages.ts'

/** The way to the primary. */
export interface PrimaryChannel {
  readonly send: (message: WorkerMessage) => void
  readonly onMessage: (take: (message: PrimaryMessage) => void) => void
}

export interface FiguresExchange {
  /** Who asks, in any worker, is told these. */
  offer (own: () => Promise<Figures>): void
  /** Every worker's, this one's included. @throws MetricsIncompleteError if that takes over a second */
  gather (): Promise<readonly Figures[]>
}

const PATIENCE_MS = 1000

/**
 * In a worker: its figures for the others, and theirs for it. Part of them would be worse than none: counters that fall look like a restart to
 * Prometheus.
 */
export function createFiguresExchange ({ send, onMessage }: PrimaryChannel, patienceMs = PATIENCE_MS): FiguresExchange {
  const waiting = new Map<number, (all: readonly Figures[]) => void>()
  let lastId = 0
  let ownFigures: () => Promise<Figures> = async () => []
  onMessage(message => {
    switch (message.kind) {
      case 'tell-figures':
        ownFigures().then(figures => { send({ kind: 'figures', id: message.id, figures }) }, () => {}) // who asked gives up after a while
        break
      case 'all-figures':
        waiting.get(message.id)?.(message.all)
        break
    }
  })
  return {
    offer (own) { ownFigures = own },
    async gather () {
      const id = ++lastId
      const { promise, timer } = deadline(patienceMs)
      const answer = new Promise<readonly Figures[]>(resolve => { waiting.set(id, resolve) })
      send({ kind: 'figures-wanted', id })
      return await Promise.race([answer, promise]).finally(() => {
        clearTimeout(timer)
        waiting.delete(id)
      })
    }
  }
}

function deadline (ms: number): { promise: Promise<never>, timer: NodeJS.Timeout } {
  let timer!: NodeJS.Timeout
  const promise = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => { reject(new MetricsIncompleteError(ms)) }, ms) })
  return { promise, timer }
}
