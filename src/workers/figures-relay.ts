import type { Figures, PrimaryMessage } from './messages.ts'

/** A worker, as far as figures are concerned. */
export interface FiguresPeer {
  readonly id: number
  send (message: PrimaryMessage): void
}

interface Inquiry {
  readonly asker: FiguresPeer
  /** The asker's number for it. */
  readonly askerId: number
  readonly awaited: Set<number>
  readonly all: Figures[]
}

/** In the primary: hands on one worker's wish for figures to all, and their figures to that one. It knows no metrics itself. */
export class FiguresRelay {
  readonly #inquiries = new Map<number, Inquiry>()
  #lastId = 0

  /** @param workers that are able to answer; the asker is one of them */
  ask (asker: FiguresPeer, askerId: number, workers: readonly FiguresPeer[]): void {
    const id = ++this.#lastId
    this.#inquiries.set(id, { asker, askerId, awaited: new Set(workers.map(worker => worker.id)), all: [] })
    for (const worker of workers) worker.send({ kind: 'tell-figures', id })
  }

  take (worker: FiguresPeer, id: number, figures: Figures): void {
    const inquiry = this.#inquiries.get(id)
    if (inquiry?.awaited.has(worker.id) !== true) return
    inquiry.all.push(figures)
    this.#strike(id, inquiry, worker)
  }

  /** A worker has ended: nobody waits for it, and it waits for nobody. */
  forget (worker: FiguresPeer): void {
    for (const [id, inquiry] of this.#inquiries) {
      if (inquiry.asker.id === worker.id) this.#inquiries.delete(id)
      else this.#strike(id, inquiry, worker)
    }
  }

  #strike (id: number, { asker, askerId, awaited, all }: Inquiry, worker: FiguresPeer): void {
    awaited.delete(worker.id)
    if (awaited.size > 0) return
    this.#inquiries.delete(id)
    asker.send({ kind: 'all-figures', id: askerId, all })
  }
}
