import { LoweringError } from '../../errors.ts'

/** A layer's options as its `getConfig()` gives them, read with a check of each one's kind. */
export class LayerConfig {
  readonly #layer: string
  readonly #values: Readonly<Record<string, unknown>>

  /** @param layer its name, for errors */
  constructor (layer: string, values: Readonly<Record<string, unknown>>) {
    this.#layer = layer
    this.#values = values
  }

  /** As given; undefined where the option is left out or null. */
  optional (name: string): unknown {
    return this.#values[name] ?? undefined
  }

  number (name: string, otherwise?: number): number {
    return this.#read(name, 'a number', value => typeof value === 'number' && !Number.isNaN(value), otherwise)
  }

  flag (name: string, otherwise?: boolean): boolean {
    return this.#read(name, 'true or false', value => typeof value === 'boolean', otherwise)
  }

  text (name: string, otherwise?: string): string {
    return this.#read(name, 'a text', value => typeof value === 'string', otherwise)
  }

  /** One of a few words. */
  choice<Word extends string> (name: string, words: readonly Word[], otherwise?: Word): Word {
    return this.#read(name, words.map(word => `"${word}"`).join(' or '), value => words.includes(value as Word), otherwise)
  }

  /** A list of numbers; a single number counts as a list of one. */
  numbers (name: string, otherwise?: readonly number[]): readonly number[] {
    const value = this.#values[name]
    if (typeof value === 'number') return [value]
    return this.#read(name, 'numbers', isNumbers, otherwise)
  }

  /** [[top, bottom], [left, right]]. */
  margins (name: string): readonly (readonly [number, number])[] {
    return this.#read(name, 'pairs of numbers', value => Array.isArray(value) && value.every(pair => isNumbers(pair) && pair.length === 2))
  }

  refuse (option: string, remedy: string): never {
    throw new LoweringError(this.#layer, `its ${option} is ${JSON.stringify(this.#values[option])}; ${remedy}`)
  }

  #read<Value> (name: string, wanted: string, isValid: (value: unknown) => boolean, otherwise?: Value): Value {
    const value = this.optional(name) ?? otherwise
    if (value !== undefined && isValid(value)) return value as Value
    throw new LoweringError(this.#layer, `expected ${wanted} for its option ${name} but received ${JSON.stringify(this.#values[name])}`)
  }
}

function isNumbers (value: unknown): value is number[] {
  return Array.isArray(value) && value.every(item => typeof item === 'number')
}
