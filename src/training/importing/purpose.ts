import { BadOptionError } from '../../errors.ts'
import type { ImageContract, Manifest, TextContract } from '../../registry/manifest.ts'
import type { InputTypes } from '../model-inputs.ts'
import type { ModelShape } from './imported-model.ts'

/** What an imported model is to be served for, as far as the user says it. */
export interface Purpose {
  readonly task?: Manifest['task']
  readonly labels?: readonly string[]
  readonly pixels?: Pixels
  /** Tokens in the order of their numbers, without those for padding and for unknown tokens. */
  readonly vocabulary?: readonly string[]
  readonly activation?: Manifest['activation']
}

/** bytes: 0 to 255, unit: 0 to 1, signed: −1 to 1 */
export const PIXELS = ['bytes', 'unit', 'signed'] as const
export type Pixels = typeof PIXELS[number]

export interface Plan {
  readonly manifest: Pick<Manifest, 'task' | 'labels' | 'image' | 'text' | 'activation'>
  readonly inputTypes: InputTypes
  /** What was assumed, for the user to set right. */
  readonly notes: readonly string[]
}

/** Numbers before the first token's: padding and unknown tokens. */
const RESERVED = 2

/** Where the vocabulary of a text model is put in its version. */
export const VOCABULARY_FILE = 'assets/vocabulary.txt'

/**
 * Decides how an imported model is served. Pure.
 *
 * @throws BadOptionError if the model can't be used for what the user says
 */
export function planImport (model: ModelShape, purpose: Purpose): Plan {
  const task = purpose.task ?? likelyTask(model, purpose)
  checkLabels(model, purpose)
  switch (task) {
    case 'image-classification': return planImages(model, purpose)
    case 'text-classification': return planTexts(model, purpose)
    case 'tensor': return { manifest: { task, ...ofOutput(purpose) }, inputTypes: {}, notes: [] }
  }
}

function likelyTask (model: ModelShape, { vocabulary }: Purpose): Manifest['task'] {
  if (vocabulary !== undefined) return 'text-classification'
  const [output, ...others] = Object.values(model.outputs)
  return imageInput(model) !== undefined && others.length === 0 && output?.length === 2 ? 'image-classification' : 'tensor'
}

function checkLabels ({ outputs }: ModelShape, { labels }: Purpose): void {
  const classes = Object.values(outputs)[0]?.at(-1) ?? -1
  const expected = classes === 1 ? 2 : classes // one number is the probability of class 1
  if (labels === undefined || classes < 0 || labels.length === expected) return
  throw new BadOptionError(`--labels has ${labels.length} lines, the model tells ${expected} classes apart`)
}

function ofOutput ({ labels, activation }: Purpose): Pick<Manifest, 'labels' | 'activation'> {
  return { ...(labels !== undefined && { labels: [...labels] }), ...(activation !== undefined && { activation }) }
}

interface ImageInput { name: string, height: number, width: number, channels: 1 | 3 }

function imageInput ({ inputs }: ModelShape): ImageInput | undefined {
  const [[name, [, height = -1, width = -1, channels, ...more] = []] = [], ...others] = Object.entries(inputs)
  if (name === undefined || others.length > 0 || more.length > 0 || height < 1 || width < 1) return undefined
  return channels === 1 || channels === 3 ? { name, height, width, channels } : undefined
}

const SCALING: Readonly<Record<Pixels, ImageContract['scaling']>> = {
  bytes: { where: 'host', mean: [0], deviation: [1] },
  unit: { where: 'host', mean: [0], deviation: [255] },
  signed: { where: 'host', mean: [127.5], deviation: [127.5] }
}

function planImages (model: ModelShape, purpose: Purpose): Plan {
  const input = imageInput(model)
  if (input === undefined) throw new BadOptionError('An image model has one input [rows, height, width, 1 or 3] of fixed sides; import this one with --task tensor')
  const { name, height, width, channels } = input
  const pixels = purpose.pixels ?? (model.rescales ? 'bytes' : 'unit')
  const takesBytes = pixels === 'bytes' && model.hasFreeTypes
  const scaling = takesBytes ? { where: 'graph' } as const : SCALING[pixels]
  return {
    manifest: { task: 'image-classification', ...ofOutput(purpose), image: { width, height, channels, fit: 'fill', kernel: 'linear', scaling } },
    inputTypes: takesBytes ? { [name]: 'uint8' } : {},
    notes: purpose.pixels !== undefined || model.rescales ? [] : ['Pixels are given as 0 to 1, since the model does not scale them itself; if it was trained with others, say --pixels bytes or signed']
  }
}

function planTexts ({ inputs, hasFreeTypes, tokens = Infinity }: ModelShape, { vocabulary, ...purpose }: Purpose): Plan {
  const [[name, [, length = -1, ...more] = []] = [], ...others] = Object.entries(inputs)
  if (vocabulary === undefined) throw new BadOptionError('A text model needs its tokens: --vocabulary FILE')
  if (name === undefined || others.length > 0 || more.length > 0 || length < 1 || !hasFreeTypes) {
    throw new BadOptionError('A text model has one input [rows, length] of a fixed length, for token numbers; import this one with --task tensor')
  }
  if (vocabulary.length + RESERVED > tokens) throw new BadOptionError(`--vocabulary has ${vocabulary.length} tokens, the model knows ${tokens - RESERVED}`)
  const tokenizer = { kind: 'text-vectorization', vocabulary: VOCABULARY_FILE, standardize: 'lower-and-strip-punctuation', split: 'whitespace' } as const
  const text: TextContract = { tokenizer, length, padding: 'end', truncation: 'end', inputs: { ids: name } }
  return { manifest: { task: 'text-classification', ...ofOutput(purpose), text }, inputTypes: { [name]: 'int32' }, notes: [] }
}
