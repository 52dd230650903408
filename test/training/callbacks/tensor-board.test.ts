import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { Graph, Session, strings, type TensorValue } from '../../../src/tensorflow/index.ts'
import { tensorBoard } from '../../../src/training/callbacks/tensor-board.ts'
import type { History } from '../../../src/training/history.ts'
import { Trainer } from '../../../src/training/trainer.ts'
import { points, smallTraining } from '../../support/small-training.ts'

const python = process.env['TENSORPORT_PYTHON']

async function train (directory: string): Promise<History> {
  const trainer = await Trainer.create(smallTraining())
  const history = await trainer.fit({ data: points(64), validation: points(32, 2), epochs: 2, callbacks: [tensorBoard(directory, () => 1_700_000_000_500)] })
  await trainer.close()
  return history
}

/** Records of a file, read and checked by TensorFlow's own reader. */
async function readRecords (path: string, count: number): Promise<TensorValue> {
  const graph = new Graph()
  const queue = graph.apply('FIFOQueueV2', [], { component_types: ['string'] })
  const put = graph.op('QueueEnqueueV2', [queue, [graph.constant(strings([], [path]))]])
  const reader = graph.apply('TFRecordReaderV2')
  const records = graph.op('ReaderReadUpToV2', [reader, queue, graph.scalar('int64', count)]).output(1)
  const session = new Session(graph)
  await session.run({ targets: [put] })
  const [values] = await session.run({ fetches: [records] })
  await session.close()
  graph.dispose()
  return values!
}

t.test('TensorFlow reads the records, whose messages name each figure', async t => {
  const directory = t.testdir()
  await train(directory)
  for (const [folder, tag] of [['train', 'epoch_acc'], ['validation', 'epoch_loss']] as const) {
    const [name] = await readdir(join(directory, folder))
    t.match(name, /^events\.out\.tfevents\.1700000000\./)
    const { data } = await readRecords(join(directory, folder, name!), 3)
    const [header, ...epochs] = (data as Uint8Array[]).map(record => Buffer.from(record).toString('latin1'))
    t.match(header, /brain\.Event:2$/)
    t.ok(epochs.length === 2 && epochs.every(record => record.includes(tag)))
  }
})

t.test('Python TensorFlow reads the figures', { skip: python === undefined ? 'TENSORPORT_PYTHON is not set' : false }, async t => {
  const directory = t.testdir()
  const { history } = await train(directory)
  const script = `
import glob, json, sys
import tensorflow as tf
events = [e for f in sorted(glob.glob(sys.argv[1] + '/*/events*')) for e in tf.compat.v1.train.summary_iterator(f)]
print(json.dumps([[e.wall_time, e.step, {v.tag: v.simple_value for v in e.summary.value}] for e in events if e.HasField('summary')]))`
  const { stdout } = await promisify(execFile)(python!, ['-c', script, directory], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } })
  const expected = [
    ...[0, 1].map(epoch => [1_700_000_000.5, epoch, { epoch_loss: history['loss']![epoch], epoch_acc: history['acc']![epoch], epoch_learning_rate: 0.02 }]),
    ...[0, 1].map(epoch => [1_700_000_000.5, epoch, { epoch_loss: history['val_loss']![epoch], epoch_acc: history['val_acc']![epoch] }])
  ]
  t.strictSame(JSON.parse(stdout, toFloat32), JSON.parse(JSON.stringify(expected), toFloat32))
})

/** Event files hold figures as float32. */
function toFloat32 (key: string, value: unknown): unknown {
  return key.startsWith('epoch_') ? Math.fround(value as number) : value
}
