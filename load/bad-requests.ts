import type { LoadRequest } from './closed-loop.ts'
import { MLP_INPUTS } from './models.ts'
import { fileForm, jsonRequest } from './requests.ts'

/** A request that has to be refused: as HTTP, or as the bytes to put on the wire where it is not even that. */
export type BadRequest = LoadRequest | { raw: string }

/** Makes one of its kind. @param random 0 ≤ x < 1, another one for each call */
export type BadRequestKind = (random: () => number) => BadRequest

const PREDICT = '/v1/models/mlp:predict'
const IMAGE = '/predict/image?model=imagenet'
const TEXT = '/predict/text'

/** For the server of the scenario bad-requests, which has the models `mlp` and `imagenet`. */
export const BAD_REQUESTS: Readonly<Record<string, BadRequestKind>> = {
  'JSON cut off': () => json('{"instances": [[0.5, 0.25'),
  'JSON with a comma too many': () => json('{"instances": [[1, 2,]]}'),
  'nothing for JSON': () => json(''),
  'JSON of bytes that are no text': random => ({ ...json(''), body: noise(random, 200) }),
  'JSON nested 100 000 deep': () => json('['.repeat(100_000)),
  'JSON that is a number': () => json('5'),
  'JSON without instances': () => json('{}'),
  'instances that are null': () => predict(null),
  'no instance at all': () => predict([]),
  'a row too short': random => predict([numbers(random, MLP_INPUTS - 1)]),
  'a row too long': random => predict([numbers(random, MLP_INPUTS * 4)]),
  'rows of different lengths': random => predict([numbers(random, MLP_INPUTS), numbers(random, 3)]),
  'a dimension too many': random => predict([[numbers(random, MLP_INPUTS)]]),
  'words for numbers': () => predict([Array.from({ length: MLP_INPUTS }, () => 'one')]),
  'a null among numbers': random => predict([[...numbers(random, MLP_INPUTS - 1), null]]),
  'bytes for numbers': () => predict([{ b64: 'AAAA' }]),
  'an unknown input': random => predict([{ [`input-${random()}`]: [1] }]),
  'instances and inputs at once': random => jsonRequest(PREDICT, { instances: [numbers(random, 3)], inputs: [numbers(random, 3)] }),
  'an unknown signature': random => jsonRequest(PREDICT, { signature_name: `s-${random()}`, instances: [numbers(random, MLP_INPUTS)] }),
  'a signature\'s name that is a number': () => jsonRequest(PREDICT, { signature_name: 5, instances: [[1]] }),
  XML: () => ({ path: PREDICT, headers: { 'content-type': 'application/xml' }, body: '<instances/>' }),
  'a content type that is none': () => ({ path: PREDICT, headers: { 'content-type': ';;;' }, body: '{}' }),

  'an unknown model': random => jsonRequest(`/v1/models/nobody-${random()}:predict`, { instances: [[1]] }),
  'an unknown version': random => jsonRequest(`/v1/models/mlp/versions/${2 + Math.floor(random() * 1e6)}:predict`, { instances: [[1]] }),
  'a version that is no number': () => jsonRequest('/v1/models/mlp/versions/latest:predict', { instances: [[1]] }),
  'a version beyond all numbers': () => jsonRequest('/v1/models/mlp/versions/99999999999999999999:predict', { instances: [[1]] }),
  'a name that climbs': () => jsonRequest('/v1/models/../../../../etc/passwd:predict', { instances: [[1]] }),
  'a name that climbs, encoded': () => jsonRequest('/v1/models/..%2F..%2F..%2Fetc%2Fpasswd:predict', { instances: [[1]] }),
  'a name that climbs, encoded dots': () => ({ path: '/v1/models/%2e%2e/%2e%2e/metadata', method: 'GET' }),
  'a name with a zero byte': () => ({ path: '/v1/models/mlp%00/metadata', method: 'GET' }),
  'a name that is not UTF-8': () => ({ path: '/v1/models/%ff%fe/metadata', method: 'GET' }),
  'a name of JavaScript\'s own': () => jsonRequest('/v1/models/__proto__:predict', { instances: [[1]] }),
  'a model in the query that climbs': random => ({ path: `/predict/image?model=../../etc/passwd-${random()}`, headers: { 'content-type': 'image/jpeg' }, body: noise(random, 100) }),
  'an unknown route': random => jsonRequest(`/predict/${random()}`, {}),
  'the wrong method': () => ({ path: '/predict/image', method: 'GET' }),

  'noise for a picture': random => picture(noise(random, 5000)),
  'noise behind a JPEG\'s first bytes': random => picture(Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), noise(random, 3000)])),
  'a PNG\'s signature alone': () => picture(Buffer.from('89504e470d0a1a0a', 'hex')),
  'an SVG': () => picture(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>')),
  'a PDF': () => picture(Buffer.from('%PDF-1.7\n%%EOF')),
  'no picture': () => picture(Buffer.alloc(0)),
  'a picture for the wrong model': random => ({ path: '/predict/image?model=mlp', headers: { 'content-type': 'image/jpeg' }, body: noise(random, 100) }),
  'topK that is no number': random => ({ path: `${IMAGE}&topK=many`, headers: { 'content-type': 'image/jpeg' }, body: noise(random, 100) }),
  'a form without a boundary': random => ({ path: IMAGE, headers: { 'content-type': 'multipart/form-data' }, body: noise(random, 100) }),
  'a form with another boundary': random => ({ ...form(random), headers: { 'content-type': 'multipart/form-data; boundary=other' } }),
  'a form cut off': random => ({ ...form(random), body: form(random).body.subarray(0, 300) }),
  'a form without a file': () => ({ path: IMAGE, headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nphoto.jpg\r\n--b--\r\n' }),
  'a form with a broken part': () => ({ path: IMAGE, headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: '--b\r\nno headers here\r\n--b--\r\n' }),
  'a form of a hundred files': random => ({ path: IMAGE, headers: { 'content-type': 'multipart/form-data; boundary=b' }, body: `${'--b\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\nx\r\n'.repeat(100)}--b--\r\n${random()}` }),
  'base64 that is none': () => jsonRequest(IMAGE, { image: '!!! not base64 !!!' }),
  'an address for a picture': () => jsonRequest(IMAGE, { image: 'http://127.0.0.1/photo.jpg' }),
  'a number for a picture': () => jsonRequest(IMAGE, { image: 5 }),

  'a number for a text': () => jsonRequest(TEXT, { text: 5 }),
  'no text': () => jsonRequest(TEXT, {}),
  'a list of numbers for texts': () => jsonRequest(TEXT, { text: [1, 2, 3] }),
  'a text for the wrong model': () => jsonRequest(`${TEXT}?model=imagenet`, { text: 'fine' }),

  'a body longer than allowed': () => raw(`POST ${PREDICT} HTTP/1.1`, 'Content-Type: application/json', 'Content-Length: 99999999'),
  'a length below nought': () => raw(`POST ${PREDICT} HTTP/1.1`, 'Content-Type: application/json', 'Content-Length: -5'),
  'two lengths': () => raw(`POST ${PREDICT} HTTP/1.1`, 'Content-Type: application/json', 'Content-Length: 5', 'Content-Length: 6'),
  'a length and chunks': () => raw(`POST ${PREDICT} HTTP/1.1`, 'Content-Type: application/json', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  'a chunk of no size': () => ({ raw: `${raw(`POST ${PREDICT} HTTP/1.1`, 'Content-Type: application/json', 'Transfer-Encoding: chunked').raw}zz\r\n` }),
  'headers too large': random => raw('GET /v1/models HTTP/1.1', `X-Much: ${String(random()).repeat(2000)}`),
  'a path too long': () => raw(`GET /v1/models/${'a'.repeat(40_000)} HTTP/1.1`),
  'no HTTP at all': random => ({ raw: `${noise(random, 100).toString('hex')}\r\n\r\n` })
}

function json (body: string): LoadRequest {
  return { path: PREDICT, headers: { 'content-type': 'application/json' }, body }
}

function predict (instances: unknown): LoadRequest {
  return jsonRequest(PREDICT, { instances })
}

function picture (body: Uint8Array): LoadRequest {
  return { path: IMAGE, headers: { 'content-type': 'image/jpeg' }, body }
}

function form (random: () => number): LoadRequest & { body: Uint8Array } {
  return fileForm(IMAGE, noise(random, 1000))
}

function raw (...lines: string[]): { raw: string } {
  return { raw: `${[...lines, 'Host: 127.0.0.1'].join('\r\n')}\r\n\r\n` }
}

function numbers (random: () => number, length: number): number[] {
  return Array.from({ length }, () => Math.round(random() * 1000) / 1000)
}

function noise (random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}
