import { BadOptionError } from '../errors.ts'

/** `128,64,32` as numbers of units. @throws BadOptionError */
export function hiddenLayers (text: string): number[] {
  const layers = text.split(',').map(Number)
  if (layers.some(units => !Number.isSafeInteger(units) || units < 1)) throw new BadOptionError(`--hidden takes numbers of units with commas between, as 128,64,32, not "${text}"`)
  return layers
}
