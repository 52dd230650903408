import type { FastifyInstance } from 'fastify'
import { BadRequestError } from '../errors.ts'
import { inTurns } from '../prediction/tensor-json/in-turns.ts'
import { checkText, decodeText } from '../prediction/tensor-json/json-text.ts'
import { PARSED_AT_ONCE_BYTES, parseInPieces } from '../prediction/tensor-json/value-reader.ts'
import { wholeBody } from './read-whole.ts'

/** Reads `application/json` in a route's own scope: UTF-8 or 400, with the parser's reason. `__proto__` is a key like any other. */
export function addJsonBody (app: FastifyInstance): void {
  app.addContentTypeParser('application/json', wholeBody(app, parse))
}

/** In turns with other requests where a body is long. */
function parse (body: Buffer): unknown {
  if (body.length > PARSED_AT_ONCE_BYTES) {
    checkText(body)
    return inTurns(parseInPieces(body))
  }
  const text = decodeText(body)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new BadRequestError(`The body is not JSON: ${(error as Error).message}`)
  }
}

/**
 * The value of the one key of `keys` that a JSON object has.
 *
 * @throws BadRequestError if it is no object, or has none or several of them
 */
export function onlyField<K extends string> (body: unknown, keys: readonly K[]): { key: K, value: unknown } {
  const names = keys.map(key => `"${key}"`).join(' or ')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BadRequestError(`The body is not a JSON object with ${names}`)
  const [key, ...more] = keys.filter(name => Object.hasOwn(body, name))
  if (key === undefined || more.length > 0) throw new BadRequestError(`The body needs ${more.length > 0 ? 'only ' : ''}one of ${names}`)
  return { key, value: (body as Record<string, unknown>)[key] }
}
