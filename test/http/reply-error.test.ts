import t from 'tap'
import * as errors from '../../src/errors.ts'
import { isFault, toReplyError, type ReplyErrorContext } from '../../src/http/reply-error.ts'

const context: ReplyErrorContext = { method: 'POST', path: '/p', bodyLimitBytes: 1000, maxFiles: 3, contentType: 'a/b', accepts: 'c/d' }

function coded (code: string, statusCode?: number): Error {
  return Object.assign(new Error('words of its own'), { code, ...(statusCode !== undefined && { statusCode }) })
}

t.test('each of our own errors is the reply that it says it is', async t => {
  const samples = [
    new errors.BadRequestError('x'), new errors.ModelNotFoundError('a', 'b'), new errors.TooManyPixelsError(2, 1), new errors.QueueFullError('m', 3),
    new errors.DeadlineExceededError(5), new errors.InferenceError('m', 'r')
  ]
  for (const error of samples) t.equal(toReplyError(error, context), error)
})

t.test('errors of Fastify, its plugins and Node become ours', async t => {
  const cases: [error: Error, code: string, statusCode: number, message: RegExp][] = [
    [coded('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'SERVE_BODY_TOO_LARGE', 413, /1000 bytes/],
    [coded('FST_REQ_FILE_TOO_LARGE', 413), 'SERVE_BODY_TOO_LARGE', 413, /1000 bytes/],
    [coded('FST_FILES_LIMIT', 413), 'SERVE_TOO_MANY_FILES', 413, /3 files/],
    [coded('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 'SERVE_UNSUPPORTED_MEDIA_TYPE', 415, /a\/b can not be read here; allowed are: c\/d/],
    [coded('FST_ERR_BAD_URL', 400), 'SERVE_BAD_REQUEST', 400, /percent/],
    [coded('FST_ERR_MAX_PARAM_LENGTH', 414), 'SERVE_ROUTE_NOT_FOUND', 404, /POST \/p/],
    [coded('FST_ERR_VALIDATION', 400), 'SERVE_BAD_REQUEST', 400, /words of its own/],
    [coded('FST_ERR_CTP_INVALID_CONTENT_LENGTH', 400), 'SERVE_BAD_REQUEST', 400, /words of its own/],
    [coded('FST_PARTS_LIMIT', 413), 'SERVE_BAD_REQUEST', 400, /words of its own/],
    [coded('ECONNRESET'), 'SERVE_CLIENT_CLOSED', 499, /./],
    [coded('ERR_STREAM_PREMATURE_CLOSE'), 'SERVE_CLIENT_CLOSED', 499, /./]
  ]
  for (const [error, code, statusCode, message] of cases) {
    const known = toReplyError(error, context)
    t.match(known, { code, statusCode, message })
    t.equal(known.cause, error)
  }
})

t.test('whatever else goes wrong is told without its words and keeps its cause', async t => {
  const samples = [new Error('secret'), new TypeError('secret'), coded('ENOENT'), coded('FST_ERR_REP_ALREADY_SENT', 500), new errors.BadSavedModelError('/secret', 'x'),
    coded('constructor', 400), Object.assign(new Error('secret'), { statusCode: 400 }), 'secret']
  for (const error of samples) {
    const known = toReplyError(error, context)
    t.match(known, { code: 'SERVE_INTERNAL', statusCode: 500 })
    t.notMatch(known.message, /secret/)
    t.equal(known.cause, error)
  }
})

t.test('only what the server is to blame for is a fault', async t => {
  t.strictSame([400, 404, 413, 499, 500, 503, 504].filter(statusCode => isFault({ statusCode })), [500])
})
