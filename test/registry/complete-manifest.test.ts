import t from 'tap'
import { checkLabels, completeManifest } from '../../src/registry/complete-manifest.ts'
import { deriveManifest } from '../../src/registry/derive-manifest.ts'
import type { Manifest } from '../../src/registry/manifest.ts'
import type { DType, Signature } from '../../src/tensorflow/index.ts'

type Tensors = Record<string, [DType, number[] | undefined]>

function signature (name: string, inputs: Tensors, outputs: Tensors): Signature {
  const side = (tensors: Tensors): Signature['inputs'] => Object.fromEntries(Object.entries(tensors).map(([key, [dtype, shape]]) => [key, { tensorName: `${key}:0`, dtype, shape }]))
  return { name, method: '', changesState: false, inputs: side(inputs), outputs: side(outputs) }
}

const serving = (inputs: Tensors, outputs: Tensors): Record<string, Signature> => ({ serving_default: signature('serving_default', inputs, outputs) })
const photos = serving({ pixels: ['uint8', [-1, 32, 48, 3]] }, { scores: ['float32', [-1, 10]] })
const tokens = serving({ ids: ['int32', [-1, 64]] }, { scores: ['float32', [-1, 1]] })

const imageManifest: Manifest = {
  format: 1, task: 'image-classification', image: { width: 48, height: 32, channels: 3, fit: 'cover', kernel: 'linear', scaling: { where: 'graph' } }
}
const textManifest: Manifest = {
  format: 1,
  task: 'text-classification',
  text: { tokenizer: { kind: 'wordpiece', vocabulary: 'vocab.txt', lowercase: true }, length: 64, padding: 'end', truncation: 'end', inputs: { ids: 'ids' } }
}

t.test('a SavedModel for uint8 photos classifies images, scaled in its graph', async t => {
  t.strictSame(deriveManifest(photos), {
    format: 1,
    task: 'image-classification',
    signature: 'serving_default',
    input: 'pixels',
    output: 'scores',
    activation: 'none',
    image: { width: 48, height: 32, channels: 3, fit: 'fill', kernel: 'linear', scaling: { where: 'graph' } }
  })
})

t.test('one for floats gets pixel ÷ 255', async t => {
  const { image } = deriveManifest(serving({ x: ['float32', [1, 28, 28, 1]] }, { y: ['float32', undefined] }))
  t.strictSame(image, { width: 28, height: 28, channels: 1, fit: 'fill', kernel: 'linear', scaling: { where: 'host', mean: [0], deviation: [255] } })
})

t.test('everything else takes plain tensors', async t => {
  const out: Tensors = { y: ['float32', [-1, 10]] }
  const others: [string, Record<string, Signature>][] = [
    ['two inputs', serving({ x: ['uint8', [-1, 8, 8, 3]], z: ['float32', [-1]] }, out)],
    ['two outputs', serving({ x: ['uint8', [-1, 8, 8, 3]] }, { ...out, z: ['float32', [-1, 10]] })],
    ['free sides', serving({ x: ['uint8', [-1, -1, -1, 3]] }, out)],
    ['channels first', serving({ x: ['float32', [-1, 3, 8, 8]] }, out)],
    ['two channels', serving({ x: ['float32', [-1, 8, 8, 2]] }, out)],
    ['many rows at once', serving({ x: ['uint8', [16, 8, 8, 3]] }, out)],
    ['strings', serving({ x: ['string', [-1, 8, 8, 3]] }, out)],
    ['an image for output', serving({ x: ['uint8', [-1, 8, 8, 3]] }, { y: ['float32', [-1, 8, 8, 3]] })],
    ['class numbers for output', serving({ x: ['uint8', [-1, 8, 8, 3]] }, { y: ['int64', [-1]] })],
    ['no input', serving({}, out)]
  ]
  for (const [what, signatures] of others) {
    t.strictSame(deriveManifest(signatures), { format: 1, task: 'tensor', signature: 'serving_default' }, what)
  }
})

t.test('without a default signature nothing is derived', async t => {
  const { serving_default: only } = photos
  t.strictSame(deriveManifest({ a: only!, b: only! }), { format: 1, task: 'tensor' })
  t.equal(deriveManifest({ classify: only! }).signature, 'classify')
})

t.test('what a manifest leaves open is written out', async t => {
  t.strictSame(completeManifest('m', imageManifest, photos),
    { ...imageManifest, signature: 'serving_default', input: 'pixels', output: 'scores', activation: 'none' })
  t.strictSame(completeManifest('m', textManifest, tokens), { ...textManifest, signature: 'serving_default', output: 'scores', activation: 'none' })
  t.strictSame(completeManifest('m', { format: 1, task: 'tensor' }, photos), { format: 1, task: 'tensor', signature: 'serving_default' })
})

t.test('a derived manifest agrees with what it was derived from', async t => {
  t.strictSame(completeManifest('m', deriveManifest(photos), photos), deriveManifest(photos))
})

t.test('a tensor manifest may go without a signature where there is no default', async t => {
  const { serving_default: only } = photos
  t.strictSame(completeManifest('m', { format: 1, task: 'tensor' }, { a: only!, b: only! }), { format: 1, task: 'tensor' })
})

type Refusal = [Manifest, Record<string, Signature>, RegExp]

const refusals: Record<string, Refusal> = {
  'an unknown signature': [{ ...imageManifest, signature: 'predict' }, photos, /names signature "predict", the SavedModel has: serving_default/],
  'a signature name that every object has': [{ ...imageManifest, signature: 'constructor' }, photos, /names signature "constructor"/],
  'no signature where several are possible': [imageManifest, { a: photos['serving_default']!, b: photos['serving_default']! }, /has to name a signature, the SavedModel has: a, b/],
  'an unknown input': [{ ...imageManifest, input: 'image' }, photos, /names input "image", the signature has: pixels/],
  'an unknown output': [{ ...imageManifest, output: 'probs' }, photos, /names output "probs", the signature has: scores/],
  'an unknown input of a tensor model': [{ format: 1, task: 'tensor', input: 'a' }, photos, /names input "a"/],
  'an unknown output of a tensor model': [{ format: 1, task: 'tensor', output: 'a' }, photos, /names output "a"/],
  'several outputs and none named': [imageManifest, serving({ pixels: ['uint8', [-1, 32, 48, 3]] }, { a: ['float32', [-1, 2]], b: ['float32', [-1, 2]] }), /has to name an output, the signature has: a, b/],
  'scores that are no floats': [imageManifest, serving({ pixels: ['uint8', [-1, 32, 48, 3]] }, { a: ['int64', [-1]] }), /output "a" of type int64, scores are floats/],
  'no image contract': [{ format: 1, task: 'image-classification' }, photos, /has to say under "image"/],
  'another image size': [{ ...imageManifest, image: { ...imageManifest.image!, width: 32 } }, photos, /gives images of \[\?, 32, 32, 3\], input "pixels" takes \[\?, 32, 48, 3\]/],
  'an image among other inputs': [{ ...imageManifest, input: 'pixels' }, serving({ pixels: ['uint8', [-1, 32, 48, 3]], flag: ['bool', []] }, { y: ['float32', [-1, 2]] }), /more inputs than "pixels": flag/],
  'scaling in a graph that takes floats': [imageManifest, serving({ x: ['float32', [-1, 32, 48, 3]] }, { y: ['float32', [-1, 2]] }), /takes uint8; input "x" is float32/],
  'scaling on the host for uint8': [{ ...imageManifest, image: { ...imageManifest.image!, scaling: { where: 'host', mean: [0], deviation: [1] } } }, photos, /gives floats; input "pixels" is uint8/],
  'two means for three channels': [
    { ...imageManifest, image: { ...imageManifest.image!, scaling: { where: 'host', mean: [0, 0], deviation: [1] } } },
    serving({ x: ['float32', [-1, 32, 48, 3]] }, { y: ['float32', [-1, 2]] }), /has 2 numbers under \/image\/scaling\/mean, allowed are 1 or 3/],
  'no text contract': [{ format: 1, task: 'text-classification' }, tokens, /has to say under "text"/],
  'an unknown text input': [{ ...textManifest, text: { ...textManifest.text!, inputs: { ids: 'input_ids' } } }, tokens, /names text input "input_ids", the signature has: ids/],
  'tokens for a float input': [textManifest, serving({ ids: ['float32', [-1, 64]] }, { y: ['float32', [-1, 1]] }), /gives token numbers to "ids", which takes float32/],
  'another text length': [{ ...textManifest, text: { ...textManifest.text!, length: 32 } }, tokens, /gives tokens of \[\?, 32\], input "ids" takes \[\?, 64\]/],
  'padding to the longest for a fixed length': [{ ...textManifest, text: { ...textManifest.text!, padTo: 'longest' } }, tokens, /input "ids" takes exactly/],
  'an input left out': [textManifest, serving({ ids: ['int32', [-1, 64]], mask: ['int32', [-1, 64]] }, { y: ['float32', [-1, 1]] }), /leaves out the signature's input mask/]
}

for (const [what, [manifest, signatures, message]] of Object.entries(refusals)) {
  t.test(`a manifest with ${what} is refused`, async t => {
    t.throws(() => completeManifest('models/m/1/model.json', manifest, signatures), { code: 'MODEL_BAD_MANIFEST', message })
  })
}

t.test('labels have to be as many as the classes', async t => {
  const labelled: Manifest = { format: 1, task: 'tensor', output: 'y', labels: ['cat', 'dog'] }
  for (const classes of [2, 1, -1, undefined]) t.doesNotThrow(() => { checkLabels('m', labelled, classes) }, String(classes))
  t.doesNotThrow(() => { checkLabels('m', { format: 1, task: 'tensor' }, 5) })
  t.throws(() => { checkLabels('m', labelled, 3) }, { code: 'MODEL_BAD_MANIFEST', message: 'Manifest m: has 2 labels, output "y" gives 3 classes' })
  t.throws(() => { checkLabels('m', { ...labelled, labels: ['one'] }, 1) }, { code: 'MODEL_BAD_MANIFEST', message: /one number, which stands for 2 classes/ })
})
