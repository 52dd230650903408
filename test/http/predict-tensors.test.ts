import { existsSync } from 'node:fs'
import { cp, readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { encodeTensor } from '../../src/prediction/tensor-json/encode.ts'
import type { TensorValue, ValueDType } from '../../src/tensorflow/index.ts'
import { sameTensor, toValue, type JsonTensor } from '../support/json-tensors.ts'
import { decodeTensor } from '../../src/prediction/tensor-json/decode.ts'
import { parseJsonExactly } from '../../src/prediction/tensor-json/json-text.ts'
import { writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'
import { serveFolder } from '../support/server.ts'

const SHARED = fileURLToPath(new URL('../../../shared/savedmodels/', import.meta.url))

/** Values that a careless encoding would lose, as the JSON of a request and of its reply. */
const EXACT: Record<ValueDType, string> = {
  float16: '[1.0,-65504.0,0.33325195,NaN,Infinity]',
  bfloat16: '[1.0,3.140625,-Infinity]',
  float32: '[0.1,16777216.0,-0.0,1.1754944e-38,NaN,-Infinity,Infinity]',
  float64: '[0.1,0.30000000000000004,9007199254740991.0,5e-324,NaN]',
  complex64: '[[1.5,-2.0],[0.1,NaN]]',
  complex128: '[[0.1,-0.30000000000000004]]',
  int8: '[-128,127]',
  int16: '[-32768,32767]',
  int32: '[-2147483648,2147483647]',
  int64: '[-9223372036854775808,9223372036854775807,9007199254740993,0]',
  uint8: '[0,255]',
  uint16: '[0,65535]',
  uint32: '[0,4294967295]',
  uint64: '[18446744073709551615,9007199254740993]',
  bool: '[true,false]',
  string: '["grüße","","\\"quoted\\"",{"b64":"//79"}]'
}

/** One signature for each type: what goes in comes out. */
async function writeIdentities (directory: string): Promise<void> {
  await writeTinyModel(directory, ({ graph }) => Object.fromEntries((Object.keys(EXACT) as ValueDType[]).map(dtype => {
    const x = graph.placeholder(dtype, [-1], `x_${dtype}`)
    return [dtype, { inputs: { x }, outputs: { y: graph.apply('Identity', [x]), y_bytes: graph.apply('Identity', [x]) } }]
  })))
}

/** Two inputs, two outputs, one of them without rows. */
async function writePair (directory: string): Promise<void> {
  await writeTinyModel(directory, ({ graph }) => {
    const a = graph.placeholder('float32', [-1, 2], 'a')
    const b = graph.placeholder('int32', [-1], 'b')
    const total = graph.apply('Sum', [a, graph.ints([0, 1])])
    return {
      serving_default: { inputs: { a, b }, outputs: { twice: graph.apply('AddV2', [a, a]), same: graph.apply('Identity', [b]) } },
      total: { inputs: { a }, outputs: { total } }
    }
  })
}

t.test('POST /v1/models/{name}:predict', async t => {
  const directory = t.testdir()
  await writeIdentities(join(directory, 'identity', '1'))
  await writePair(join(directory, 'pair', '1'))
  await writeHalfPlusTwo(join(directory, 'half', '00000003'))
  await writeHalfPlusTwo(join(directory, 'half', '2'), 10)
  const { app, log } = await serveFolder(t, directory)
  const post = async (path: string, payload: string | Buffer | object, type = 'application/json') =>
    await app.inject({ method: 'POST', url: `/v1/models/${path}`, payload, headers: { 'content-type': type } })

  for (const [dtype, json] of Object.entries(EXACT)) {
    t.test(`${dtype} goes through TensorFlow and comes back exactly`, async t => {
      const reply = await post('identity:predict', `{"signature_name":"${dtype}","inputs":{"x":${json}}}`)
      const bytes = dtype === 'string' ? '[{"b64":"Z3LDvMOfZQ=="},{"b64":""},{"b64":"InF1b3RlZCI="},{"b64":"//79"}]' : json
      t.equal(reply.body, `{"outputs":{"y":${json},"y_bytes":${bytes}}}`)
      t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
    })
  }

  t.test('the row form is answered in rows, a sole output without its name', async t => {
    t.equal((await post('half:predict', '{"instances":[1.0,2.0,5.0]}')).body, '{"predictions":[2.5,3.0,4.5]}')
    t.equal((await post('half:predict', '{"instances":[{"x":1},{"x":2}]}')).body, '{"predictions":[2.5,3.0]}')
    t.equal((await post('pair:predict', '{"instances":[{"a":[1,2],"b":3},{"b":4,"a":[5,6]}]}')).body,
      '{"predictions":[{"twice":[2.0,4.0],"same":3},{"twice":[10.0,12.0],"same":4}]}')
    t.match(log.at(-1), { rows: 2 })
  })

  t.test('the column form is answered in columns, a sole output without its name', async t => {
    t.equal((await post('half:predict', '{"inputs":[1.0,2.0]}')).body, '{"outputs":[2.5,3.0]}')
    t.equal((await post('half:predict', '{"inputs":{"x":[1.0]}}')).body, '{"outputs":[2.5]}')
    t.equal((await post('pair:predict', '{"inputs":{"a":[[1,2]],"b":[3,4]}}')).body, '{"outputs":{"twice":[[2.0,4.0]],"same":[3,4]}}')
    t.equal((await post('pair:predict', '{"signature_name":"total","inputs":[[1,2]]}')).body, '{"outputs":3.0}')
  })

  t.test('a large reply is sent in pieces that make the same JSON, its length said before', async t => {
    const values = Array.from({ length: 300_000 }, (_, index) => index % 1000)
    const reply = await post('half:predict', JSON.stringify({ instances: values }))
    t.strictSame(reply.json(), { predictions: values.map(value => value / 2 + 2) })
    t.equal(reply.headers['content-length'], String(Buffer.byteLength(reply.body)))
    t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  })

  t.test('outputs without rows are refused in the row form, with the way out', async t => {
    const reply = await post('pair:predict', '{"signature_name":"total","instances":[[1,2]]}')
    t.match(reply.json(), { code: 'SERVE_BAD_REQUEST', error: /"total" of shape \[\].*"inputs" instead of "instances"/ })
  })

  t.test('the newest version answers unless one is named, leading zeros or not', async t => {
    t.equal((await post('half:predict', '{"inputs":[2]}')).body, '{"outputs":[3.0]}')
    t.equal((await post('half/versions/3:predict', '{"inputs":[2]}')).statusCode, 200)
    t.equal((await post('half/versions/0003:predict', '{"inputs":[2]}')).statusCode, 200)
    t.match((await post('half/versions/7:predict', '{"inputs":[2]}')).json(), { code: 'SERVE_VERSION_NOT_FOUND' })
    for (const version of ['x', '1.0', '-1', '9999999999999999999999', '%00', '1e1']) {
      t.match((await post(`half/versions/${version}:predict`, '{"inputs":[2]}')).json(), { code: 'SERVE_BAD_REQUEST' }, version)
    }
  })

  t.test('a body is read as JSON whatever its Content-Type, as curl’s -d sends a form’s', async t => {
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream']) {
      t.equal((await post('half:predict', '{"inputs":[1]}', type)).statusCode, 200, type)
    }
    t.equal((await app.inject({ method: 'POST', url: '/v1/models/half:predict', payload: Buffer.from('{"inputs":[1]}') })).statusCode, 200, 'none')
  })

  t.test('names that are no model are 404, whatever they hold', async t => {
    for (const name of ['nobody', '..%2f..%2fetc', '%2e%2e', '%00', 'half%00', 'HALF', '__proto__', 'constructor', 'a b', 'x'.repeat(255), 'x'.repeat(2000), '💥']) {
      const reply = await post(`${encodeURI(name).replaceAll('%25', '%')}:predict`, '{"inputs":[1]}')
      t.equal(reply.statusCode, 404, name.slice(0, 20))
    }
    t.match((await post('nobody:predict', '{}')).json(), { code: 'SERVE_MODEL_NOT_FOUND', error: /there are: half, identity, pair/ })
  })

  t.test('a signature that the model has not is 400 and names those it has', async t => {
    t.match((await post('pair:predict', '{"signature_name":"x","inputs":[1]}')).json(), { code: 'SERVE_UNKNOWN_SIGNATURE', error: /serving_default, total/ })
    t.match((await post('pair:predict', '{"signature_name":"__proto__","inputs":[1]}')).json(), { code: 'SERVE_UNKNOWN_SIGNATURE' })
    t.match((await post('pair:predict', '{"signature_name":5,"inputs":[1]}')).json(), { code: 'SERVE_BAD_REQUEST' })
    t.match((await post('identity:predict', '{"inputs":[1]}')).json(), { code: 'SERVE_UNKNOWN_SIGNATURE' }, 'nor is there a default one')
  })

  t.test('TensorFlow Serving’s other verbs and its labels are refused with what to do instead', async t => {
    for (const verb of ['classify', 'regress', 'explain']) t.match((await post(`half:${verb}`, '{}')).json(), { code: 'SERVE_BAD_REQUEST', error: /":predict"/ })
    t.match((await post('half/labels/stable:predict', '{}')).json(), { code: 'SERVE_BAD_REQUEST', error: /labels/ })
  })

  t.test('what does not fit the signature is 400 and says what does', async t => {
    const cases: [path: string, body: string, message: RegExp][] = [
      ['half', '', /empty/],
      ['half', '{', /not JSON/],
      ['half', '[1]', /not a JSON object/],
      ['half', '{}', /one of "instances"/],
      ['half', '{"instances":[1],"inputs":[1]}', /only one of/],
      ['half', '{"instances":[]}', /at least one row/],
      ['half', '{"instances":1}', /at least one row/],
      ['half', '{"instances":[1,{"x":1}]}', /an object is not of type float32, at \[1\]/],
      ['half', '{"instances":[{"x":1},2]}', /"instances"\[1\] is not an object/],
      ['half', '{"inputs":{"z":[1]}}', /Input "x": is missing in "inputs"/],
      ['half', '{"inputs":{"x":[1],"z":[1]}}', /Input "z": is not in the signature, whose inputs are: "x"/],
      ['half', '{"inputs":["1"]}', /Input "x": "1" is not of type float32, at \[0\]/],
      ['half', '{"inputs":[[1],[2,3]]}', /Input "x": is ragged: the list at \[1\]/],
      ['half', '{"inputs":[[1]]}', /Input "x": has shape \[1, 1\], allowed is \[\?\]/],
      ['half', '{"inputs":[null]}', /null is not of type float32/],
      ['pair', '{"instances":[[1,2]]}', /values without names.*"a", "b"/],
      ['pair', '{"inputs":{"a":[[1,2]],"b":[2147483648]}}', /Input "b": 2147483648 is out of the range of int32.*at \[0\]/],
      ['pair', '{"inputs":{"a":[[1,2,3]],"b":[1]}}', /Input "a": has shape/],
      ['half', '{"__proto__":{"inputs":[1]}}', /one of "instances"/]
    ]
    for (const [model, body, message] of cases) {
      const reply = await post(`${model}:predict`, body)
      t.equal(reply.statusCode, 400, body)
      t.match(reply.json<{ error: string }>().error, message, body)
    }
  })
})

interface Call { signature: string, tensors: Record<string, JsonTensor> }

t.test('SavedModels by others', { skip: existsSync(SHARED) ? false : '../shared/savedmodels is not here' }, async t => {
  const directory = t.testdir()
  const names = (await readdir(SHARED, { withFileTypes: true })).filter(entry => entry.isDirectory()).map(({ name }) => name)
  const read = async <Value> (name: string, file: string): Promise<Value> => JSON.parse(await readFile(join(SHARED, name, file), 'utf8')) as Value
  const cases = new Map<string, { model_dir: string, tolerance: { rtol: number, atol: number } }>()
  for (const name of names) {
    const description = await read<{ model_dir: string, tolerance: { rtol: number, atol: number } }>(name, 'case.json')
    cases.set(name, description)
    await cp(join(SHARED, name, description.model_dir), join(directory, name, '1'), { recursive: true })
  }
  const { app } = await serveFolder(t, directory)

  for (const name of names) {
    t.test(`${name} answers through HTTP as it was recorded`, async t => {
      const calls = await read<Call[]>(name, 'input.json')
      const expected = await read<Call[]>(name, 'expected.json')
      for (const [index, { signature, tensors }] of calls.entries()) {
        const inputs = Object.entries(tensors).map(([key, tensor]) => `${JSON.stringify(key)}:${encodeTensor(toValue(tensor), key)}`)
        const reply = await app.inject({
          method: 'POST', url: `/v1/models/${name}:predict`, payload: Buffer.from(`{"signature_name":"${signature}","inputs":{${inputs.join(',')}}}`)
        })
        t.equal(reply.statusCode, 200, reply.body.slice(0, 300))
        const { outputs } = parseJsonExactly(reply.body) as { outputs: unknown }
        const recorded = Object.entries(expected[index]!.tensors)
        for (const [key, tensor] of recorded) {
          const value = recorded.length === 1 ? outputs : (outputs as Record<string, unknown>)[key]
          const found: TensorValue = decodeTensor(value, tensor.dtype, key)
          sameTensor(t, found, tensor, cases.get(name)!.tolerance, `${signature} ${key}`)
        }
      }
    })
  }
})
