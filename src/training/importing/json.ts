import { BadModelFileError } from '../../errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** @param path where the text is from, for the error. @throws BadModelFileError if it is no JSON object */
export function readJson (path: string, text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new BadModelFileError(path, `is not JSON: ${(error as Error).message}`)
  }
  if (!isObject(value)) throw new BadModelFileError(path, 'is not a JSON object')
  return value
}

export function isObject (value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
