import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RunReport } from './batching/run-request.ts'
import type { Trace } from './prediction/trace.ts'
import type { FiguresExchange } from './workers/figures-exchange.ts'

/** Seconds. */
const LATENCY_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** One exchange, when it is over. */
export interface ObservedRequest {
  /** The route's pattern, `none` where there was none: never the path itself, whose values have no end. */
  readonly route: string
  readonly method: string
  /** 499 where the client had gone. */
  readonly status: number
  readonly seconds: number
  readonly trace: Trace | undefined
  /** The error's code, if it was one. */
  readonly code: string | undefined
}

/** What the registry knows at the time of a scrape. */
export interface ObservedModel {
  readonly name: string
  readonly versions: ReadonlyArray<{ readonly version: number, readonly state: string, readonly inFlight: number, readonly waiting: number }>
}

export interface Metrics {
  observeRequest (request: ObservedRequest): void
  readonly observeRun: (model: string, run: RunReport) => void
  /** A request was refused before anything was done for it. */
  observeRejection (model: string, code: string): void
  /** Prometheus' text format; where there are several workers, for all of them together. @throws MetricsIncompleteError */
  expose (): Promise<{ contentType: string, text: string }>
}

export interface MetricsOptions {
  readonly models: () => readonly ObservedModel[]
  /** Images that are being decoded or wait for it. */
  readonly pendingDecodes: () => number
  /** Where this server is one of several: what is exposed is the sum of all. */
  readonly exchange?: FiguresExchange | undefined
}

/** Every metric of one server, in a registry of its own. */
export function createMetrics (options: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({ name: 'tensorport_requests_total', help: 'HTTP requests answered', labelNames: ['route', 'method', 'status'], registers })
  const durations = new Histogram({ name: 'tensorport_request_duration_seconds', help: 'Time from a request\'s headers to the end of its reply', labelNames: ['route'], buckets: LATENCY_BUCKETS, registers })
  const phases = new Histogram({ name: 'tensorport_phase_duration_seconds', help: 'Time a request spent in decode, queue, infer and encode', labelNames: ['phase', 'model'], buckets: LATENCY_BUCKETS, registers })
  const rows = new Counter({ name: 'tensorport_rows_total', help: 'Rows predicted', labelNames: ['model'], registers })
  const errors = new Counter({ name: 'tensorport_errors_total', help: 'Requests that ended in an error', labelNames: ['code'], registers })
  const rejected = new Counter({ name: 'tensorport_rejected_total', help: 'Requests refused at a model\'s door, by the error\'s code', labelNames: ['model', 'code'], registers })
  const observeRun = runMetrics(registry)
  addModelGauges(registry, options)
  collectDefaultMetrics({ register: registry })
  const { exchange } = options
  exchange?.offer(() => registry.getMetricsAsJSON())
  return {
    observeRequest ({ route, method, status, seconds, trace, code }) {
      requests.inc({ route, method, status })
      durations.observe({ route }, seconds)
      if (code !== undefined) errors.inc({ code })
      if (trace?.model === undefined) return
      const { model } = trace
      for (const [phase, ms] of trace.phases) phases.observe({ phase, model }, ms / 1000)
      if (code === undefined) rows.inc({ model }, trace.rows ?? 0)
    },
    observeRun,
    observeRejection: (model, code) => { rejected.inc({ model, code }) },
    expose: async () => {
      const exposed = exchange === undefined ? registry : AggregatorRegistry.aggregate([...await exchange.gather()])
      return { contentType: exposed.contentType, text: await exposed.metrics() }
    }
  }
}

const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What is known of each run in TensorFlow. */
function runMetrics (registry: Registry): Metrics['observeRun'] {
  const registers = [registry]
  const labelNames = ['model']
  const durations = new Histogram({ name: 'tensorport_run_duration_seconds', help: 'Time of a run in TensorFlow', labelNames, buckets: LATENCY_BUCKETS, registers })
  const waits = new Histogram({ name: 'tensorport_batch_wait_seconds', help: 'Time that a run\'s oldest request waited for it', labelNames, buckets: LATENCY_BUCKETS, registers })
  const sizes = new Histogram({ name: 'tensorport_batch_rows', help: 'Rows asked for in a batch', labelNames, buckets: BATCH_BUCKETS, registers })
  const padding = new Counter({ name: 'tensorport_padding_rows_total', help: 'Rows that only filled batches up', labelNames, registers })
  const batches = new Counter({ name: 'tensorport_batches_total', help: 'Batches by why they went: full, idle (nothing to wait for), timer; alone for runs that are none', labelNames: ['model', 'released'], registers })
  return (model, { rows, size, released, runMs, waitedMs }) => {
    durations.observe({ model }, runMs / 1000)
    waits.observe({ model }, waitedMs / 1000)
    batches.inc({ model, released: released ?? 'alone' })
    if (rows === undefined || size === undefined) return
    sizes.observe({ model }, rows)
    padding.inc({ model }, size - rows)
  }
}

/** Read when they are scraped. */
function addModelGauges (registry: Registry, { models, pendingDecodes }: MetricsOptions): void {
  const registers = [registry]
  const sum = (model: ObservedModel, key: 'waiting' | 'inFlight'): number => model.versions.reduce((total, version) => total + version[key], 0)
  const gauge = (name: string, help: string, key: 'waiting' | 'inFlight'): unknown => new Gauge({
    name,
    help,
    labelNames: ['model'],
    registers,
    collect () {
      this.reset()
      for (const model of models()) this.set({ model: model.name }, sum(model, key))
    }
  })
  gauge('tensorport_queue_requests', 'Runs that wait for their turn', 'waiting')
  gauge('tensorport_runs_in_flight', 'Runs in TensorFlow', 'inFlight')
  registry.registerMetric(new Gauge({
    name: 'tensorport_versions',
    help: 'Versions of a model in a state',
    labelNames: ['model', 'state'],
    registers: [],
    collect () {
      this.reset()
      for (const { name, versions } of models()) for (const { state } of versions) this.inc({ model: name, state })
    }
  }))
  registry.registerMetric(new Gauge({ name: 'tensorport_pending_decodes', help: 'Images that are being decoded or wait for it', registers: [], collect () { this.set(pendingDecodes()) } }))
}
