/** The parts of a request's time: bytes or text to tensors, waiting for a run, TensorFlow, tensors to the reply. */
export const PHASES = ['decode', 'queue', 'infer', 'encode'] as const
export type Phase = typeof PHASES[number]

/** What is found out about one request while it runs, also if it fails: for Server-Timing, the log and the metrics. */
export class Trace {
  readonly startedAt: number
  /** Milliseconds of each phase that was reached. */
  readonly phases = new Map<Phase, number>()
  model: string | undefined
  version: number | undefined
  rows: number | undefined
  error: Error | undefined

  /** @param startedAt in the clock of `performance.now` */
  constructor (startedAt: number) {
    this.startedAt = startedAt
  }

  serves ({ model, version }: { readonly model: string, readonly version: number }, rows?: number): void {
    this.model = model
    this.version = version
    this.rows = rows ?? this.rows
  }

  /** Adds to a phase: a request of many rows may run more than once. */
  add (phase: Phase, ms: number): void {
    this.phases.set(phase, (this.phases.get(phase) ?? 0) + ms)
  }

  /** As `time`, of work that is done at once. */
  timeNow<T> (phase: Phase, work: () => T): T {
    const startedAt = performance.now()
    try {
      return work()
    } finally {
      this.add(phase, performance.now() - startedAt)
    }
  }

  /** Times `work` as part of a phase; a failure's time counts too. */
  async time<T> (phase: Phase, work: () => T | Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await work()
    } finally {
      this.add(phase, performance.now() - startedAt)
    }
  }
}
