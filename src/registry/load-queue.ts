import type { ServedVersion } from './served-version.ts'

interface Waiting {
  readonly version: ServedVersion
  readonly done: () => void
}

/** Loads versions one after the other: two at once would need the memory of both and each take twice as long. */
export class LoadQueue {
  readonly #waiting: Waiting[] = []
  readonly #stopped = new AbortController()
  #running: Promise<void> | undefined

  /** @param done called once the version is available or failed; not if it was unloaded while it waited, or the queue stopped */
  add (version: ServedVersion, done: () => void): void {
    if (this.#stopped.signal.aborted) return
    this.#waiting.push({ version, done })
    this.#running ??= this.#run()
  }

  /** Drops what waits, gives up what runs at its next step, and waits for that. */
  async stop (): Promise<void> {
    this.#waiting.length = 0
    this.#stopped.abort()
    await this.#running
  }

  async #run (): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (next.version.state !== 'start') continue
      await next.version.load(this.#stopped.signal)
      next.done()
    }
    this.#running = undefined
  }
}
