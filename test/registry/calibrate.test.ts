import { join } from 'node:path'
import t from 'tap'
import { calibrate } from '../../src/registry/calibrate.ts'
import type { Manifest } from '../../src/registry/manifest.ts'
import { loadSavedModel, type TensorValue } from '../../src/tensorflow/index.ts'
import { writeTinyModel } from '../support/saved-models.ts'

const LIMITS = { maxRows: 4, concurrency: 1, threads: 1, xla: false }

/** Shapes that a model of texts is run with while it is calibrated, by the padding that its contract asks for; and the sizes that it is given. */
async function shapesRun (directory: string, padTo: 'length' | 'longest', least = 0): Promise<{ shapes: Set<string>, sizes: number[] }> {
  await writeTinyModel(directory, ({ graph }) => {
    const ids = graph.placeholder('int32', [-1, -1], 'ids')
    const long = graph.apply('GatherV2', [ids, graph.ints([least]), graph.scalar('int32', 1)]) // refuses what is not longer than `least`
    const sums = graph.apply('Sum', [graph.apply('Cast', [long], { DstT: 'float32' }), graph.scalar('int32', 1)], { keep_dims: true })
    return { serving_default: { inputs: { ids }, outputs: { scores: sums } } }
  })
  const loaded = await loadSavedModel(directory)
  const shapes = new Set<string>()
  const run = async (name: string, inputs: Parameters<typeof loaded.run>[1]): Promise<Record<string, TensorValue>> => {
    const values = inputs as Record<string, TensorValue>
    shapes.add(values['ids']!.shape.join(' × '))
    return await loaded.run(name, inputs)
  }
  const manifest: Manifest = {
    format: 1,
    task: 'text-classification',
    signature: 'serving_default',
    text: { tokenizer: { kind: 'wordpiece', vocabulary: 'v', lowercase: true }, length: 100, padding: 'end', truncation: 'end', padTo, inputs: { ids: 'ids' } }
  }
  const { sizes } = await calibrate({ loaded: { directory, session: loaded.session, run }, signatures: loaded.signatures, manifest, manifestPath: '' }, LIMITS, new AbortController().signal)
  await loaded.dispose()
  return { shapes, sizes: sizes.map(({ size }) => size) }
}

t.test('every length that texts are padded to is run in every size before a client comes', async t => {
  const { shapes, sizes } = await shapesRun(join(t.testdir(), '1'), 'longest')
  t.ok(sizes.length > 0)
  for (const length of [16, 32, 64, 100]) for (const rows of sizes) t.ok(shapes.has(`${rows} × ${length}`), `${rows} × ${length}`)
})

t.test('texts that are all padded to one length come in no other', async t => {
  const { shapes } = await shapesRun(join(t.testdir(), '1'), 'length')
  t.ok(shapes.size > 0 && [...shapes].every(shape => shape.endsWith('× 100')), [...shapes].join())
})

t.test('a model that refuses short texts is calibrated all the same', async t => {
  const { shapes } = await shapesRun(join(t.testdir(), '1'), 'longest', 80)
  t.ok(shapes.has('1 × 16') && shapes.has('1 × 100'))
})
