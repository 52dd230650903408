import t from 'tap'
import { workerEnvironment } from '../../src/workers/worker-environment.ts'

t.test('a worker’s threads are those of its share of the cores, rounded up', async t => {
  const environment = (workers: number, cores: number) => workerEnvironment({}, { workers, cores })
  t.strictSame(environment(2, 16), { DECODE_CONCURRENCY: '8', RUN_CONCURRENCY: '8', INTRA_OP_THREADS: '8' })
  t.strictSame(environment(2, 3), { DECODE_CONCURRENCY: '2', RUN_CONCURRENCY: '2', INTRA_OP_THREADS: '2' })
  t.strictSame(environment(8, 2), { DECODE_CONCURRENCY: '1', RUN_CONCURRENCY: '1', INTRA_OP_THREADS: '1' })
  t.match(environment(2, 1024), { DECODE_CONCURRENCY: '256' }, 'not more than the setting allows')
})

t.test('what the operator set stays, 0 leaves it to us', async t => {
  const set = { DECODE_CONCURRENCY: '3', RUN_CONCURRENCY: '5', INTRA_OP_THREADS: '7', UV_THREADPOOL_SIZE: '9', PATH: '/bin' }
  t.strictSame(workerEnvironment(set, { workers: 2, cores: 2 }), set)
  t.match(workerEnvironment({ INTRA_OP_THREADS: '0' }, { workers: 2, cores: 8 }), { INTRA_OP_THREADS: '4' })
})
