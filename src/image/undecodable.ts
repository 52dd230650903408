import { UndecodableImageError } from '../errors.ts'
import type { ImageFormat } from './formats.ts'

/**
 * Turns libvips' complaint about a file into the error that the client gets: what is broken, without libvips' own words (several lines, with
 * names of its insides), which stay in `cause` for the log.
 */
export function asImageError (error: unknown, format: ImageFormat): Error {
  return Object.assign(new UndecodableImageError(`the ${format} is broken or cut off`), { cause: error })
}
