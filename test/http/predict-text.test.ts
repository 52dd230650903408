import { join } from 'node:path'
import t from 'tap'
import { writeHalfPlusTwo } from '../support/saved-models.ts'
import { fakeModels, fakeSignature, newServer, noModels, serveFolder } from '../support/server.ts'
import { writeTextModel } from '../support/text-model.ts'

interface TextReply { predicted_class: number, label: string, confidence: number, all_probabilities: number[], top: object[], model: object, text: object }

/** sigmoid(4), as float32 has it. */
const SURE = Math.fround(1 / (1 + Math.exp(-4)))

t.test('POST /predict/text', async t => {
  const directory = t.testdir()
  await writeTextModel(join(directory, 'mood', '1'))
  await writeTextModel(join(directory, 'mood64', '1'), 'int64')
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  const { app, log } = await serveFolder(t, directory, { env: { DEFAULT_TEXT_MODEL: 'mood', MAX_ROWS: '3', BODY_LIMIT_BYTES: '2000' } })
  const ask = async (payload: object | string, query = '', type = 'application/json') =>
    await app.inject({ method: 'POST', url: `/predict/text${query}`, payload, headers: { 'content-type': type } })

  t.test('answers a text with its class, the probabilities and what became of its tokens', async t => {
    const reply = await ask({ text: 'The good film!' })
    t.equal(reply.statusCode, 200)
    const { confidence, all_probabilities: probabilities, top, ...rest } = reply.json<TextReply>()
    t.strictSame(rest, {
      predicted_class: 1,
      label: 'positive',
      model: { name: 'mood', version: 1 },
      text: { tokens: 3, truncated: false, unknown: 0 }
    })
    t.ok(Math.abs(confidence - SURE) < 1e-6, 'to what float32 holds of sigmoid(4)')
    t.strictSame(probabilities, [1 - confidence, confidence])
    t.strictSame(top, [{ class: 1, label: 'positive', confidence }, { class: 0, label: 'negative', confidence: 1 - confidence }])
    t.match(reply.headers['server-timing'], /^decode;.*queue;.*infer;.*encode;.*total;/)
    t.match(log.at(-1), { model: 'mood', version: 1, rows: 1 })
  })

  t.test('answers a list with a list, in its order', async t => {
    const reply = await ask({ text: ['bad', 'good', 'a strange bad film it was'] })
    const { predictions } = reply.json<{ predictions: TextReply[] }>()
    t.strictSame(predictions.map(({ label, text }) => ({ label, text })), [
      { label: 'negative', text: { tokens: 1, truncated: false, unknown: 0 } },
      { label: 'positive', text: { tokens: 1, truncated: false, unknown: 0 } },
      { label: 'negative', text: { tokens: 6, truncated: true, unknown: 4 } }
    ])
    t.equal((await ask({ text: ['good'] })).json<{ predictions: object[] }>().predictions.length, 1, 'also for a list of one')
  })

  t.test('takes a plain text as the body, and the course’s own form in the query', async t => {
    t.equal((await ask('good film', '', 'text/plain; charset=utf-8')).json<TextReply>().label, 'positive')
    const reply = await app.inject({ method: 'POST', url: '/predict/text?text=bad%20film' })
    t.equal(reply.json<TextReply>().label, 'negative')
  })

  t.test('an empty text is a text', async t => {
    t.match((await ask({ text: '' })).json(), { confidence: 0.5, text: { tokens: 0, truncated: false, unknown: 0 } })
  })

  t.test('gives a model with int64 token numbers what it takes', async t => {
    t.match((await ask({ text: 'bad' }, '?model=mood64')).json(), { label: 'negative', model: { name: 'mood64' } })
  })

  t.test('topK bounds the classes in top', async t => {
    t.equal((await ask({ text: 'good' }, '?topK=1')).json<TextReply>().top.length, 1)
    for (const topK of ['0', '-1', '1.5', 'x', '1001']) t.match((await ask({ text: 'good' }, `?topK=${topK}`)).json(), { code: 'SERVE_BAD_REQUEST', error: /topK/ })
  })

  t.test('a version is chosen by its number', async t => {
    t.equal((await ask({ text: 'good' }, '?version=1')).statusCode, 200)
    t.equal((await ask({ text: 'good' }, '?version=2')).json<{ code: string }>().code, 'SERVE_VERSION_NOT_FOUND')
    for (const version of ['x', '-1', '1.5', '1e3', '99999999999999999999']) t.equal((await ask({ text: 'good' }, `?version=${version}`)).statusCode, 400, version)
  })

  t.test('a model for another task says so', async t => {
    const reply = await ask({ text: 'good' }, '?model=half')
    t.match(reply.json(), { code: 'SERVE_WRONG_TASK', error: /"half" is for tensor, this route needs text-classification/ })
    t.equal((await ask({ text: 'good' }, '?model=nobody')).statusCode, 404)
  })

  t.test('what is not a text is 400 and says what is wanted', async t => {
    const cases: [payload: object | string, message: RegExp][] = [
      ['{', /not JSON/],
      ['[]', /object with "text"/],
      ['null', /object with "text"/],
      [{}, /one of "text"/],
      [{ text: 5 }, /neither a string nor a list/],
      [{ text: [] }, /neither a string nor a list/],
      [{ text: ['a', 5] }, /"text"\[1\] is not a string/],
      ['{"__proto__": {"text": "good"}}', /one of "text"/]
    ]
    for (const [payload, message] of cases) t.match((await ask(payload)).json(), { code: 'SERVE_BAD_REQUEST', error: message })
    t.match((await app.inject({ method: 'POST', url: '/predict/text' })).json(), { code: 'SERVE_BAD_REQUEST', error: /no body/ })
    t.match((await ask(Buffer.of(0xff, 0xfe) as object, '', 'text/plain')).json(), { code: 'SERVE_BAD_REQUEST', error: /UTF-8/ })
  })

  t.test('more texts than allowed are 413, another Content-Type 415, both name what is allowed', async t => {
    t.match((await ask({ text: ['a', 'b', 'c', 'd'] })).json(), { code: 'SERVE_TOO_MANY_ROWS', error: /4 rows, allowed are 3/ })
    const reply = await ask('text=good', '', 'application/x-www-form-urlencoded')
    t.equal(reply.statusCode, 415)
    t.match(reply.json(), { code: 'SERVE_UNSUPPORTED_MEDIA_TYPE', error: /application\/json, text\/plain/ })
  })
})

t.test('without any model a text is answered with 503 and when to come again, once all are loaded with 404', async t => {
  const loading = await newServer(t, noModels(false))
  const early = await loading.app.inject({ method: 'POST', url: '/predict/text', payload: { text: 'x' } })
  t.equal(early.statusCode, 503)
  t.equal(early.headers['retry-after'], '1')
  t.match(early.json(), { error: /^Model not loaded/, code: 'SERVE_NO_MODEL' })
  const empty = await newServer(t, noModels(true))
  t.equal((await empty.app.inject({ method: 'POST', url: '/predict/text', payload: { text: 'x' } })).statusCode, 404)
})

t.test('a model whose scores are not numbers is a failure of the model, not an answer', async t => {
  const directory = t.testdir({ 'vocabulary.txt': 'good\n' })
  const { app } = await newServer(t, fakeModels({
    directory,
    signatures: fakeSignature({ ids: ['int32', [-1, 2]] }, { y: ['float32', [-1, 2]] }),
    manifest: {
      format: 1,
      task: 'text-classification',
      signature: 'serving_default',
      output: 'y',
      text: { tokenizer: { kind: 'text-vectorization', vocabulary: 'vocabulary.txt', standardize: 'lower', split: 'whitespace' }, length: 2, padding: 'end', truncation: 'end', inputs: { ids: 'ids' } }
    },
    run: async () => ({ outputs: { y: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(NaN, 1) } }, queueMs: 0, inferMs: 0 })
  }))
  const reply = await app.inject({ method: 'POST', url: '/predict/text', payload: { text: 'good' } })
  t.equal(reply.statusCode, 500)
  t.match(reply.json(), { code: 'SERVE_INFERENCE_FAILED', error: /NaN/ })
})
