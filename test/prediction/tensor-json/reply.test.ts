import t from 'tap'
import { encodeTensor } from '../../../src/prediction/tensor-json/encode.ts'
import type { JsonText } from '../../../src/prediction/tensor-json/json-pieces.ts'
import { writePredictReply, type Form } from '../../../src/prediction/tensor-json/predict-body.ts'
import type { TensorValue } from '../../../src/tensorflow/dtype.ts'

function write (form: Form, outputs: Record<string, TensorValue>): JsonText & { yields: number } {
  const work = writePredictReply(form, outputs)
  for (let yields = 0; ; yields++) {
    const step = work.next()
    if (step.done === true) return { ...step.value, yields }
  }
}

function floats (...shape: number[]): TensorValue {
  return { dtype: 'float32', shape, data: Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, (_, index) => index / 7) }
}

for (const shape of [[1_000_000], [1000, 1000], [500_000, 2], [2, 5, 100_000], [100, 100, 100, 1], [1_000_000, 0], [3, 1]]) {
  t.test(`a tensor of [${shape.join(', ')}] is the same in pieces as in one`, async t => {
    const tensor = floats(...shape)
    const whole = `{"outputs":${encodeTensor(tensor, 'y')}}`
    const { pieces, sizeBytes, yields } = write('column', { y: tensor })
    t.ok(pieces.join('') === whole)
    t.equal(sizeBytes, whole.length)
    t.ok(yields >= Math.floor(whole.length / 131_072), `${yields} yields for ${whole.length} bytes`)
  })
}

t.test('rows of several outputs are written in pieces too', async t => {
  const outputs = { long: floats(3, 50_000), short: floats(3) }
  const { pieces, yields } = write('row', outputs)
  const { predictions } = JSON.parse(pieces.join('')) as { predictions: { long: number[], short: number }[] }
  t.strictSame(predictions.map(({ long, short }) => [long.length, long[1], short]), [0, 1, 2].map(row => [50_000, Number(encodeTensor({ dtype: 'float32', shape: [], data: Float32Array.of((row * 50_000 + 1) / 7) }, 'y')), Math.fround(row / 7) === 0 ? 0 : Number(encodeTensor({ dtype: 'float32', shape: [], data: Float32Array.of(row / 7) }, 'y'))]))
  t.ok(yields > 10)
})

t.test('a small reply is one piece', async t => {
  t.strictSame(write('column', { y: floats(2, 2), z: floats(1) }).pieces.length, 1)
})

t.test('the size counts bytes', async t => {
  t.equal(write('column', { y: { dtype: 'string', shape: [], data: [Buffer.from('ü€')] } }).sizeBytes, Buffer.byteLength('{"outputs":"ü€"}'))
})
