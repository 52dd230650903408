import cluster, { type Worker } from 'node:cluster'
import { availableParallelism, constants } from 'node:os'
import type { Logger } from 'pino'
import { EXIT_FAILED } from '../end.ts'
import { afterExit } from './after-exit.ts'
import { FiguresRelay } from './figures-relay.ts'
import { gpuEnvironment, listGpus, visibleGpus } from './gpus.ts'
import type { WorkerMessage } from './messages.ts'
import { companyEnvironment, workerEnvironment } from './worker-environment.ts'

export interface PrimaryOptions {
  readonly workers: number
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
}

/** One of the workers to be, through all that take its place. */
interface Place {
  readonly number: number
  worker: Worker | undefined
  startedAt: number
  earlyDeaths: number
}

/** A worker that was told to end before it was ready to be told: it had nothing in flight. */
const KILLED_BY_SIGTERM = 128 + constants.signals.SIGTERM

/**
 * Keeps `workers` processes of this program running, which share its port: connections go to them in turn. The first opens it; the others come after, and listen when their models
 * are there, as does who takes the place of one that died. This process serves nothing and loads no models; it ends when they have.
 */
export function runPrimary (options: PrimaryOptions): void {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({ serialization: 'advanced' }) // JSON has no NaN, figures have
  new Primary(options).start()
}

class Primary {
  readonly #log: Logger
  readonly #env: Record<string, string | undefined>
  readonly #gpus: readonly string[]
  readonly #places: readonly Place[]
  /** Workers that came as far as TensorFlow, and listen: those that answer. */
  readonly #serving = new Set<Worker>()
  readonly #relay = new FiguresRelay()
  #hasServed = false
  #hasWarned = false
  #isClosing = false
  /** Of the first worker that did not end in order once it was told to. */
  #exitCode = 0

  constructor ({ workers, env, log }: PrimaryOptions) {
    this.#log = log
    this.#env = workerEnvironment(env, { workers, cores: availableParallelism() })
    this.#gpus = visibleGpus(env, listGpus)
    this.#places = Array.from({ length: workers }, (_, number) => ({ number, worker: undefined, startedAt: 0, earlyDeaths: 0 }))
  }

  start (): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { this.#close(signal) })
    this.#tellGpus()
    this.#fork(this.#places[0]!)
  }

  #tellGpus (): void {
    const [gpus, workers] = [this.#gpus.length, this.#places.length]
    if (gpus > 1) this.#log.info({ gpus, workers }, 'each worker has one of the GPUs')
    if (gpus > workers) this.#log.warn({ gpus, workers }, `not every GPU is used: WORKERS=${gpus} uses all`)
  }

  #forkOthers (): void {
    if (this.#isClosing) return
    for (const place of this.#places) if (place.worker === undefined) this.#fork(place)
  }

  #fork (place: Place): void {
    const hasCompany = this.#running().length > 0
    const worker = cluster.fork({ ...this.#env, ...gpuEnvironment(this.#gpus, place.number), ...companyEnvironment(hasCompany) })
    Object.assign(place, { worker, startedAt: performance.now() })
    worker.on('message', (message: WorkerMessage) => { this.#take(worker, message) })
    worker.on('error', error => { this.#log.error({ worker: worker.id, err: error }, 'a worker can not be reached') })
    worker.on('exit', (code: number | null, signal: NodeJS.Signals | null) => { this.#afterExit(place, worker, code ?? 128 + constants.signals[signal!]) })
  }

  #take (worker: Worker, message: WorkerMessage): void {
    switch (message.kind) {
      case 'serving':
        this.#serving.add(worker)
        if (!this.#hasServed) this.#forkOthers()
        this.#hasServed = true
        break
      case 'gpu':
        this.#warnOfSharing()
        break
      case 'figures-wanted':
        this.#relay.ask(worker, message.id, [...this.#serving].filter(other => other.isConnected()))
        break
      case 'figures':
        this.#relay.take(worker, message.id, message.figures)
        break
    }
  }

  #warnOfSharing (): void {
    const gpus = Math.max(1, this.#gpus.length)
    if (this.#hasWarned || this.#places.length <= gpus) return
    this.#log.warn({ gpus, workers: this.#places.length }, `workers that share a GPU take memory of their own for the same models: GPU_MEMORY_LIMIT_MIB bounds it, WORKERS=${gpus} needs it once`)
    this.#hasWarned = true
  }

  #afterExit (place: Place, worker: Worker, code: number): void {
    place.worker = undefined
    this.#serving.delete(worker)
    this.#relay.forget(worker)
    if (this.#isClosing) {
      if (code !== KILLED_BY_SIGTERM) this.#exitCode ||= code
      return this.#endWhenAllHave()
    }
    const livedMs = Math.round(performance.now() - place.startedAt)
    const next = afterExit({ code, livedMs, earlyDeaths: place.earlyDeaths, othersRun: this.#running().length > 0, hasServed: this.#hasServed })
    if (next.kind === 'end') process.exit(next.code)
    place.earlyDeaths = next.earlyDeaths
    this.#log.error({ worker: worker.id, code, livedMs, restartMs: next.delayMs }, 'a worker ended unexpectedly; another takes its place')
    setTimeout(() => { if (!this.#isClosing) this.#fork(place) }, next.delayMs)
  }

  /** The first signal lets every worker finish what is in flight, the second ends them at once. */
  #close (signal: NodeJS.Signals): void {
    if (this.#isClosing) {
      for (const worker of this.#running()) worker.process.kill('SIGKILL')
      process.exit(EXIT_FAILED)
    }
    this.#isClosing = true
    this.#log.info({ signal }, 'closing: the workers finish what is in flight')
    for (const worker of this.#running()) worker.process.kill('SIGTERM')
    this.#endWhenAllHave()
  }

  #endWhenAllHave (): void {
    if (this.#running().length === 0) process.exit(this.#exitCode)
  }

  #running (): Worker[] {
    return this.#places.flatMap(({ worker }) => worker ?? [])
  }
}
