import { Gauge, Registry } from 'prom-client'
import t from 'tap'
import { createMetrics } from '../../src/metrics.ts'
import { createFiguresExchange, type FiguresExchange } from '../../src/workers/figures-exchange.ts'
import { FiguresRelay, type FiguresPeer } from '../../src/workers/figures-relay.ts'
import type { Figures, PrimaryMessage, WorkerMessage } from '../../src/workers/messages.ts'

interface FakeWorker extends FiguresPeer {
  readonly exchange: FiguresExchange
  /** Does not answer. */
  isMute: boolean
}

/** Workers that reach each other through a relay, without processes. */
function workersOf (count: number, patienceMs = 1000): { workers: FakeWorker[], relay: FiguresRelay } {
  const relay = new FiguresRelay()
  const workers: FakeWorker[] = Array.from({ length: count }, (_, index) => {
    let take: (message: PrimaryMessage) => void = () => {}
    const receive = (message: WorkerMessage): void => {
      if (message.kind === 'figures-wanted') relay.ask(worker, message.id, workers)
      if (message.kind === 'figures' && !worker.isMute) relay.take(worker, message.id, message.figures)
    }
    const exchange = createFiguresExchange({ send: receive, onMessage: listener => { take = listener } }, patienceMs)
    const worker: FakeWorker = { id: index + 1, isMute: false, send: message => { take(message) }, exchange }
    return worker
  })
  return { workers, relay }
}

async function gaugeOf (value: number): Promise<Figures> {
  const registry = new Registry()
  new Gauge({ name: 'value', help: 'A number', registers: [registry] }).set(value)
  return await registry.getMetricsAsJSON()
}

const valuesOf = (all: readonly Figures[]): unknown[] => all.map(([metric]) => metric!.values[0]!.value).sort()

t.test('whoever asks gets everybody’s figures, its own too', async t => {
  const { workers } = workersOf(3)
  workers.forEach(({ exchange }, index) => { exchange.offer(async () => await gaugeOf(index)) })
  for (const { exchange } of workers) t.strictSame(valuesOf(await exchange.gather()), [0, 1, 2])
})

t.test('two who ask at once get both their answer', async t => {
  const { workers: [one, two] } = workersOf(2)
  const [first, second] = await Promise.all([one!.exchange.gather(), two!.exchange.gather()])
  t.equal(first.length, 2)
  t.equal(second.length, 2)
})

t.test('a worker that does not answer in time makes the question fail, not half an answer', async t => {
  const { workers: [one, two] } = workersOf(2, 20)
  two!.isMute = true
  await t.rejects(one!.exchange.gather(), { code: 'SERVE_METRICS_INCOMPLETE', statusCode: 503 })
})

t.test('a worker that ends is no longer waited for', async t => {
  const { workers: [one, two], relay } = workersOf(2)
  two!.isMute = true
  const gathered = one!.exchange.gather()
  await new Promise(resolve => setImmediate(resolve))
  relay.forget(two!)
  t.equal((await gathered).length, 1)
})

t.test('an answer that comes twice, or to nobody, changes nothing', async t => {
  const relay = new FiguresRelay()
  const told: PrimaryMessage[] = []
  const asker: FiguresPeer = { id: 1, send: message => { told.push(message) } }
  const other: FiguresPeer = { id: 2, send: () => {} }
  relay.ask(asker, 7, [asker, other])
  relay.take(other, 1, [])
  relay.take(other, 1, [])
  relay.take(other, 99, [])
  t.strictSame(told, [{ kind: 'tell-figures', id: 1 }])
  relay.forget(asker)
  relay.take(asker, 1, [])
  t.equal(told.length, 1)
})

t.test('counters, histograms and gauges of all workers are added up in Prometheus’ text', async t => {
  const { workers } = workersOf(2)
  const servers = workers.map(({ exchange }, index) => createMetrics({
    models: () => [{ name: 'm', versions: [{ version: 1, state: 'available', inFlight: index + 1, waiting: 2 }] }],
    pendingDecodes: () => 3,
    exchange
  }))
  for (const server of servers) server.observeRequest({ route: '/', method: 'GET', status: 200, seconds: 0.01, trace: undefined, code: undefined })
  const { contentType, text } = await servers[0]!.expose()
  t.match(contentType, 'text/plain')
  t.match(text, 'tensorport_requests_total{route="/",method="GET",status="200"} 2\n')
  t.match(text, 'tensorport_request_duration_seconds_count{route="/"} 2\n')
  t.match(text, 'tensorport_runs_in_flight{model="m"} 3\n')
  t.match(text, 'tensorport_queue_requests{model="m"} 4\n')
  t.match(text, 'tensorport_versions{model="m",state="available"} 2\n')
  t.match(text, 'tensorport_pending_decodes 6\n')
  t.notMatch(text, /null|undefined/)
})
