import { cp, readFile, readdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import type { ModelRegistry } from '../../src/registry/model-registry.ts'
import { allocateArray, type NumericArray, type TensorValue, type ValueDType } from '../../src/tensorflow/index.ts'
import { request, startRegistry, until } from '../support/registry.ts'

const SHARED = fileURLToPath(new URL('../../../shared/savedmodels/', import.meta.url))

interface RecordedTensor { dtype: ValueDType, shape: number[], data: (number | string | { b64: string })[] }
interface Call { signature: string, tensors: Record<string, RecordedTensor> }
interface Case { model_dir: string, tolerance: { rtol: number, atol: number }, signatures: Record<string, { inputs: Record<string, { dtype: string }> }> }

function toTensor ({ dtype, shape, data }: RecordedTensor): TensorValue {
  if (dtype === 'string') return { dtype, shape, data: data.map(value => typeof value === 'object' ? Buffer.from(value.b64, 'base64') : Buffer.from(String(value))) }
  const values = allocateArray(dtype, data.length)
  data.forEach((value, index) => { values[index] = typeof values[index] === 'bigint' ? BigInt(value as number) : value as number })
  return { dtype, shape, data: values }
}

const toTensors = (tensors: Record<string, RecordedTensor>): Record<string, TensorValue> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, toTensor(tensor)]))

const texts = ({ data }: TensorValue): string[] => (data as readonly Uint8Array[]).map(bytes => Buffer.from(bytes).toString())

function same (t: Test, found: TensorValue, recorded: TensorValue, { rtol, atol }: Case['tolerance'], what: string): void {
  t.strictSame([found.dtype, found.shape], [recorded.dtype, recorded.shape], what)
  if (recorded.dtype === 'string') {
    t.strictSame(texts(found), texts(recorded), what)
    return
  }
  const expected = Array.from(recorded.data as NumericArray, Number)
  const off = Array.from(found.data as NumericArray, Number).filter((value, index) => !(Math.abs(value - expected[index]!) <= atol + rtol * Math.abs(expected[index]!)))
  t.strictSame(off, [], `${what} within the tolerance that its recording names`)
}

async function readJson<Value> (...path: string[]): Promise<Value> {
  return JSON.parse(await readFile(join(SHARED, ...path), 'utf8')) as Value
}

async function serve (t: Test, names: string[]): Promise<ModelRegistry> {
  const directory = t.testdir()
  for (const name of names) {
    const { model_dir: modelDirectory } = await readJson<Case>(name, 'case.json')
    await cp(join(SHARED, name, modelDirectory), join(directory, name, '1'), { recursive: true })
  }
  const registry = await startRegistry(t, { directory })
  await until('every model was tried', () => registry.isReady() && registry.list().length === names.length)
  return registry
}

t.test('SavedModels made by others', { skip: existsSync(SHARED) ? false : '../shared/savedmodels is not here' }, async t => {
  const names = (await readdir(SHARED, { withFileTypes: true })).filter(entry => entry.isDirectory()).map(({ name }) => name)
  const registry = await serve(t, names)

  for (const name of names) {
    t.test(`${name} answers as Python's TensorFlow did`, async t => {
      const { tolerance, signatures } = await readJson<Case>(name, 'case.json')
      const calls = await readJson<Call[]>(name, 'input.json')
      const answers = await readJson<Call[]>(name, 'expected.json')
      const handle = registry.acquire(name)
      t.teardown(() => { handle.release() })
      t.strictSame(Object.keys(handle.version.signatures).sort(), Object.keys(signatures).filter(signature => !signature.startsWith('__')).sort())
      for (const [index, { signature, tensors }] of calls.entries()) {
        const { outputs } = await handle.version.run(signature, toTensors(tensors))
        const recorded = answers[index]!.tensors
        t.strictSame(Object.keys(outputs).sort(), Object.keys(recorded).sort())
        for (const [output, tensor] of Object.entries(recorded)) same(t, outputs[output]!, toTensor(tensor), tolerance, `${signature} ${output}`)
      }
    })
  }

  t.test('a counter loses no count when many add at once', async t => {
    const registry = await serve(t, ['tf1_counter_stateful'])
    const count = async (signature: string): Promise<number> => Number((await request(registry, 'tf1_counter_stateful', {}, { signature })).outputs['output']!.data[0])
    t.equal(await count('get_counter'), 0)
    await Promise.all(Array.from({ length: 50 }, async () => await count('incr_counter')))
    t.equal(await count('get_counter'), 50)
  })

  t.test('a model without serving_default serves the signatures that it has', async t => {
    const handle = registry.acquire('tf1_counter_stateful')
    t.teardown(() => { handle.release() })
    t.strictSame(handle.version.manifest, { format: 1, task: 'tensor' })
    await t.rejects(handle.version.run('serving_default', {}), { code: 'SERVE_UNKNOWN_SIGNATURE', message: /get_counter/ })
  })
})
