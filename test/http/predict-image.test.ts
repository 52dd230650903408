import { join } from 'node:path'
import { readdirSync, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import sharp from 'sharp'
import type { ImageContract } from '../../src/registry/manifest.ts'
import { contractOf, encode, newDecoder, noSharedImages, photo, plain, sharedImage } from '../support/images.ts'
import { floats } from '../../src/tensorflow/index.ts'
import { writeColourClassifier, writeHalfPlusTwo, writeTinyModel } from '../support/saved-models.ts'
import { serveFolder } from '../support/server.ts'
import { writeFile } from 'node:fs/promises'

interface ImageReply { predicted_class: number, label: string, confidence: number, all_probabilities: number[], top: object[], model: object, input?: string }

const SIDE = 8
const LABELS = ['red', 'green', 'blue']
const CORRUPT = fileURLToPath(new URL('../../../shared/images/corrupt/', import.meta.url))

const png = async (...colour: number[]): Promise<Buffer> => await encode(plain(16, 12, ...colour)).png().toBuffer()

async function writeManifest (directory: string, image: Partial<ImageContract> = {}): Promise<void> {
  await writeFile(join(directory, 'model.json'), JSON.stringify({ format: 1, task: 'image-classification', labels: LABELS, image: contractOf({ width: SIDE, height: SIDE, ...image }) }))
}

/** The mean of each channel of float images, as probabilities; nothing else. */
async function writeMeans (directory: string, dtype: 'float32' | 'float16', rows: number): Promise<void> {
  await writeTinyModel(directory, ({ graph, variable }) => {
    const pixels = graph.placeholder(dtype, [rows, SIDE, SIDE, 3], 'pixels')
    const mean = graph.apply('Mean', [graph.apply('Cast', [pixels], { DstT: 'float32' }), graph.ints([1, 2])])
    return { serving_default: { inputs: { pixels }, outputs: { mean: graph.apply('Mul', [mean, variable('one', floats([], [1]))]) } } }
  })
}

function form (files: readonly (readonly [field: string, bytes: Buffer])[]): { payload: Buffer, headers: Record<string, string> } {
  const boundary = 'boundary-of-the-test'
  const parts = files.flatMap(([field, bytes], index) => [
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${field}"; filename="${index}.png"\r\ncontent-type: image/png\r\n\r\n`), bytes, Buffer.from('\r\n')
  ])
  return { payload: Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }
}

t.test('POST /predict/image', async t => {
  const directory = t.testdir()
  await writeColourClassifier(join(directory, 'colours', '1'), SIDE)
  await writeManifest(join(directory, 'colours', '1'))
  await writeMeans(join(directory, 'foreign', '1'), 'float32', -1)
  await writeMeans(join(directory, 'pairs', '1'), 'float32', 2)
  await writeManifest(join(directory, 'pairs', '1'), { scaling: { where: 'host', mean: [0], deviation: [255] } })
  await writeMeans(join(directory, 'halves', '1'), 'float16', -1)
  await writeManifest(join(directory, 'halves', '1'), { scaling: { where: 'host', mean: [0], deviation: [255] } })
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const { app, log } = await serveFolder(t, directory, { env: { DEFAULT_IMAGE_MODEL: 'colours', MAX_FILES: '5', BODY_LIMIT_BYTES: '200000', MAX_IMAGE_PIXELS: '1000000' }, decoder: newDecoder({ maxPixels: 1_000_000 }) })
  const post = async (payload: Buffer | object | string, type: string, query = '') =>
    await app.inject({ method: 'POST', url: `/predict/image${query}`, payload, headers: { 'content-type': type } })
  const postForm = async (files: readonly (readonly [string, Buffer])[], query = '') => await app.inject({ method: 'POST', url: `/predict/image${query}`, ...form(files) })
  const [red, green, blue] = await Promise.all([png(255, 0, 0), png(0, 255, 0), png(0, 0, 255)])

  t.test('names what is on a picture sent as a raw body', async t => {
    const reply = await post(red, 'image/png')
    t.equal(reply.statusCode, 200)
    const { all_probabilities: probabilities, ...rest } = reply.json<ImageReply>()
    const [largest, other] = probabilities as [number, number]
    t.ok(Math.abs(largest - Math.exp(4) / (Math.exp(4) + 2)) < 1e-6, 'softmax of 4, 0, 0, to what float32 holds')
    t.strictSame(probabilities, [largest, other, other])
    t.strictSame(rest, {
      predicted_class: 0,
      label: 'red',
      confidence: largest,
      top: [{ class: 0, label: 'red', confidence: largest }, { class: 1, label: 'green', confidence: other }, { class: 2, label: 'blue', confidence: other }],
      model: { name: 'colours', version: 1 }
    })
    t.match(reply.headers['server-timing'], /^decode;.*queue;.*infer;.*encode;.*total;/)
    t.match(log.at(-1), { model: 'colours', version: 1, rows: 1, bytes: red.length })
  })

  t.test('takes every way to send a picture', async t => {
    const base64 = green.toString('base64')
    const replies = await Promise.all([
      post(green, 'application/octet-stream'),
      post(green, 'image/anything'),
      postForm([['whatever', green]]),
      post({ image: base64 }, 'application/json'),
      post({ image: base64.replace(/=+$/, '') }, 'application/json; charset=utf-8'),
      post({ image: `data:image/png;base64,${base64}` }, 'application/json')
    ])
    t.strictSame(replies.map(reply => reply.json<ImageReply>().label), Array.from(replies, () => 'green'))
  })

  t.test('answers several pictures in their order, each with all that one has', async t => {
    const expected = ['blue', 'red', 'green']
    const asForm = (await postForm([['a', blue], ['b', red], ['a', green]])).json<{ predictions: ImageReply[] }>()
    t.strictSame(asForm.predictions.map(({ label }) => label), expected)
    t.strictSame(Object.keys(asForm.predictions[0]!), ['predicted_class', 'label', 'confidence', 'all_probabilities', 'top', 'model'])
    const asJson = (await post({ images: [blue, red, green].map(bytes => bytes.toString('base64')) }, 'application/json')).json<{ predictions: ImageReply[] }>()
    t.strictSame(asJson, asForm)
    const one = (await post({ images: [blue.toString('base64')] }, 'application/json')).json<{ predictions: ImageReply[] }>()
    t.equal(one.predictions.length, 1, 'also a list of one')
    t.match(log.at(-2), { rows: 3 })
  })

  t.test('shows the pixels that the model saw', async t => {
    const { input = '' } = (await post(await encode(photo(40, 30)).png().toBuffer(), 'image/png', '?debug=input')).json<ImageReply>()
    t.match(input, /^data:image\/png;base64,/)
    const { data, info } = await sharp(Buffer.from(input.slice(22), 'base64')).raw().toBuffer({ resolveWithObject: true })
    t.match(info, { width: SIDE, height: SIDE, channels: 3 })
    const seen = await newDecoder().decode(await encode(photo(40, 30)).png().toBuffer(), contractOf({ width: SIDE, height: SIDE }))
    t.strictSame(new Uint8Array(data), seen)
    t.equal((await post(red, 'image/png', '?debug=all')).statusCode, 400)
  })

  t.test('a foreign model without a manifest gets floats of 0 to 1 and has numbers for labels', async t => {
    const reply = await post(await png(255, 51, 0), 'image/png', '?model=foreign')
    t.match(reply.json(), { label: '0', model: { name: 'foreign' } })
    const probabilities = reply.json<ImageReply>().all_probabilities
    t.strictSame(probabilities.map(value => value.toFixed(6)), ['1.000000', '0.200000', '0.000000'])
  })

  t.test('a model that takes half precision gets it', async t => {
    const [first, second] = (await post(await png(255, 51, 0), 'image/png', '?model=halves')).json<ImageReply>().all_probabilities
    t.equal(first, 1)
    t.ok(Math.abs(second! - 0.2) < 1e-4, 'to what float16 holds of 0.2')
  })

  t.test('a model of a fixed number of rows answers any number of pictures', async t => {
    for (const count of [1, 2, 3, 5]) {
      const colours = [red, green, blue, green, red].slice(0, count)
      const reply = await post({ images: colours.map(bytes => bytes.toString('base64')) }, 'application/json', '?model=pairs')
      t.strictSame(reply.json<{ predictions: ImageReply[] }>().predictions.map(({ predicted_class: found }) => found), [0, 1, 2, 1, 0].slice(0, count))
    }
  })

  t.test('a model for another task says so', async t => {
    t.match((await post(red, 'image/png', '?model=half')).json(), { code: 'SERVE_WRONG_TASK', error: /"half" is for tensor, this route needs image-classification/ })
  })

  t.test('what holds no picture is 400', async t => {
    const cases: [payload: Buffer | object | string, type: string, message: RegExp][] = [
      ['', 'image/png', /empty|no body/],
      ['', 'application/json', /empty|no body/],
      ['{', 'application/json', /not JSON/],
      ['"x"', 'application/json', /object with "image" or "images"/],
      [{}, 'application/json', /one of "image" or "images"/],
      [{ image: 'AAAA', images: [] }, 'application/json', /only one of/],
      [{ image: 5 }, 'application/json', /"image" is not an image in base64/],
      [{ image: 'not base64!' }, 'application/json', /"image" is not an image in base64/],
      [{ image: '' }, 'application/json', /"image" is not an image in base64/],
      [{ image: 'data:image/png,abc' }, 'application/json', /"image" is not an image in base64/],
      [{ images: [] }, 'application/json', /"images" is not a list/],
      [{ images: ['AAAA', '*'] }, 'application/json', /"images"\[1\] is not an image/]
    ]
    for (const [payload, type, message] of cases) t.match((await post(payload, type)).json(), { code: 'SERVE_BAD_REQUEST', error: message }, JSON.stringify(payload))
    t.match((await app.inject({ method: 'POST', url: '/predict/image' })).json(), { code: 'SERVE_BAD_REQUEST', error: /no body/ })
  })

  t.test('forms that hold no file, end too early or are no forms are 400', async t => {
    const whole = form([['a', red]]).payload
    const type = 'multipart/form-data; boundary=boundary-of-the-test'
    const field = '--boundary-of-the-test\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n--boundary-of-the-test--\r\n'
    const cases: [payload: Buffer | string, type: string][] = [
      [form([]).payload, type], [field, type], [whole.subarray(0, whole.length - 60), type], [whole.subarray(0, 30), type],
      ['rubbish', type], ['', type], [whole, 'multipart/form-data'], [whole, 'multipart/form-data; boundary=another']
    ]
    for (const [payload, contentType] of cases) {
      const reply = await post(payload, contentType)
      t.equal(reply.statusCode, 400, `${payload.length} bytes as ${contentType}: ${reply.body}`)
      t.equal(reply.json<{ code: string }>().code, 'SERVE_BAD_REQUEST')
    }
  })

  t.test('too many files, bytes or pixels are 413', async t => {
    const six = Array.from({ length: 6 }, () => ['f', red] as const)
    t.match((await postForm(six)).json(), { code: 'SERVE_TOO_MANY_FILES', error: /5 files/ })
    t.match((await post({ images: six.map(([, bytes]) => bytes.toString('base64')) }, 'application/json')).json(), { code: 'SERVE_TOO_MANY_FILES' })
    t.match((await post(Buffer.alloc(200_001), 'image/png')).json(), { code: 'SERVE_BODY_TOO_LARGE' })
    t.match((await post(await encode(plain(1001, 1000, 0)).png().toBuffer(), 'image/png')).json(), { code: 'SERVE_TOO_MANY_PIXELS' })
  })

  t.test('a body that never said its size is cut off at the limit', async t => {
    const { Readable } = await import('node:stream')
    const chunks = (count: number) => Readable.from(Array.from({ length: count }, () => Buffer.alloc(50_000)))
    const raw = await app.inject({ method: 'POST', url: '/predict/image', payload: chunks(5), headers: { 'content-type': 'image/png' } })
    t.match(raw.json(), { code: 'SERVE_BODY_TOO_LARGE' })
    const { headers, payload } = form([['a', Buffer.alloc(150_000)], ['b', Buffer.alloc(150_000)]])
    const multi = await app.inject({ method: 'POST', url: '/predict/image', payload: Readable.from([payload]), headers })
    t.match(multi.json(), { code: 'SERVE_BODY_TOO_LARGE' })
  })

  t.test('formats that are not read are 415, broken pictures 422, and of several the one is named', async t => {
    for (const [bytes, found] of [['<svg xmlns="http://www.w3.org/2000/svg"/>', /SVG/], ['%PDF-1.7', /PDF/], ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', /HEIC/], ['hello', /text/]] as const) {
      const reply = await post(Buffer.from(bytes, 'latin1'), 'image/png')
      t.equal(reply.statusCode, 415)
      t.match(reply.json(), { code: 'SERVE_UNSUPPORTED_IMAGE', error: found })
    }
    t.match((await post(red.subarray(0, 60), 'image/png')).json(), { code: 'SERVE_UNDECODABLE_IMAGE' })
    const several = await postForm([['a', red], ['b', red.subarray(0, 60)], ['c', green]])
    t.equal(several.statusCode, 422)
    t.match(several.json(), { error: /^Image 2 of 3: The image can not be decoded/ })
    t.match((await post('a=b', 'application/x-www-form-urlencoded')).json(), { code: 'SERVE_UNSUPPORTED_MEDIA_TYPE', error: /multipart\/form-data, image\/\*/ })
  })

  t.test('broken files by others are answered, none with a fault', { skip: noSharedImages }, async t => {
    for (const name of existsSync(CORRUPT) ? readdirSync(CORRUPT) : []) {
      const bytes = sharedImage(`corrupt/${name}`)
      const reply = bytes.length > 200_000 ? await post(bytes.subarray(0, 200_000), 'image/jpeg') : await post(bytes, 'image/jpeg')
      t.ok([200, 400, 413, 415, 422].includes(reply.statusCode), `${name}: ${reply.statusCode}`)
    }
  })
})

t.test('a photo gets the same answer through HTTP as from the session, whichever way EXIF turns it', { skip: noSharedImages }, async t => {
  const directory = t.testdir()
  await writeColourClassifier(join(directory, 'colours', '1'), SIDE)
  const { app, models } = await serveFolder(t, directory)
  const ask = async (name: string): Promise<number[]> => (await app.inject({
    method: 'POST', url: '/predict/image', payload: sharedImage(name), headers: { 'content-type': 'image/jpeg' }
  })).json<ImageReply>().all_probabilities
  const upright = await ask('exif/Landscape_1.jpg')

  const handle = models.acquire('colours')
  t.teardown(() => { handle.release() })
  const { manifest } = handle.version
  const data = await newDecoder().decode(sharedImage('exif/Landscape_1.jpg'), manifest.image!)
  const { outputs } = await handle.version.run('serving_default', { pixels: { dtype: 'uint8', shape: [1, SIDE, SIDE, 3], data } })
  const direct = Array.from(outputs['probabilities']!.data as Float32Array)
  t.ok(upright.every((value, index) => Math.abs(value - direct[index]!) < 1e-5), 'to 1e-5')
  for (const turn of [2, 3, 4, 5, 6, 7, 8]) {
    const turned = await ask(`exif/Landscape_${turn}.jpg`)
    t.ok(turned.every((value, index) => Math.abs(value - upright[index]!) < 0.01), `orientation ${turn}: to 0.01, since each file was compressed anew`)
  }
})
