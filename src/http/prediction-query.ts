import Type from 'typebox'
import { BadRequestError } from '../errors.ts'

/** The query of the image and the text route. */
export const PredictionQuery = Type.Object({
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'default: see DEFAULT_IMAGE_MODEL and DEFAULT_TEXT_MODEL' })),
  version: Type.Optional(Type.String({ description: 'default: the newest' })),
  timeout: Type.Optional(Type.String({ description: 'milliseconds within which the answer is of use; default: REQUEST_TIMEOUT_MS' })),
  topK: Type.Integer({ default: 5, minimum: 1, maximum: 1000, description: 'classes in `top`' })
})

/**
 * A version's number as it stands in a path or a query; leading zeros as in a directory's name.
 *
 * @throws BadRequestError if it is not a plain whole number that float64 holds
 */
export function parseVersion (text: string): number {
  const version = Number(text)
  if (/^\d{1,20}$/.test(text) && Number.isSafeInteger(version)) return version
  throw new BadRequestError(`A version is a whole number, not "${text.slice(0, 40)}"`)
}
