import { derivedSeed, seededRandom } from '../random.ts'

export type HyperparameterValue = number | string | boolean

/** What a recipe is run with besides its settings: sizes of layers, rates, kinds. */
export type Hyperparameters = Readonly<Record<string, HyperparameterValue>>

/** Counts only where an earlier hyperparameter has one of these values: `{ optimizer: ['sgd'] }`. All conditions have to hold. */
export type Condition = Readonly<Record<string, readonly HyperparameterValue[]>>

interface Choice {
  readonly kind: 'choice'
  readonly values: readonly HyperparameterValue[]
  readonly when?: Condition
}

interface Range {
  readonly kind: 'integer' | 'float'
  readonly min: number
  /** Counts as allowed, if the step leads to it. */
  readonly max: number
  readonly step?: number
  /** Each doubling is as likely as the next: for rates and sizes over several orders of magnitude. */
  readonly isLog?: boolean
  readonly when?: Condition
}

/** What one hyperparameter may be. */
export type Dimension = Choice | Range

/** By name, in an order in which conditions only look back. */
export type SearchSpace = Readonly<Record<string, Dimension>>

interface ChoiceOptions { readonly when?: Condition }
interface RangeOptions extends ChoiceOptions { readonly step?: number, readonly isLog?: boolean }

/** @throws RangeError for no values */
export function choice (values: readonly HyperparameterValue[], options: ChoiceOptions = {}): Dimension {
  if (values.length === 0) throw new RangeError('Expected at least one value to choose from')
  return { kind: 'choice', values, ...options }
}

/** Whole numbers from `min` to `max`, that one included. @throws RangeError for bounds that are none */
export function integer (min: number, max: number, options: RangeOptions = {}): Dimension {
  if (![min, max, options.step ?? 1].every(Number.isSafeInteger)) throw new RangeError(`Expected whole numbers but received ${min}, ${max}, step ${options.step ?? 1}`)
  return range('integer', min, max, options)
}

/** @throws RangeError for bounds that are none */
export function float (min: number, max: number, options: RangeOptions = {}): Dimension {
  return range('float', min, max, options)
}

function range (kind: Range['kind'], min: number, max: number, options: RangeOptions): Dimension {
  const { step = 1, isLog = false } = options
  if (!(Number.isFinite(min) && Number.isFinite(max) && min <= max && step > 0)) throw new RangeError(`Expected bounds in order and a step over 0 but received ${min} to ${max}, step ${step}`)
  if (isLog && min <= 0) throw new RangeError(`Expected a lower bound over 0 for a logarithmic range but received ${min}`)
  return { kind, min, max, ...options }
}

/** Whether a hyperparameter counts beside the ones that are chosen already. Pure. */
export function isActive ({ when = {} }: Dimension, chosen: Hyperparameters): boolean {
  return Object.entries(when).every(([name, values]) => chosen[name] !== undefined && values.includes(chosen[name]))
}

/** The value at a place in 0…1 (1 left out) of the dimension. Pure. */
export function valueAt (dimension: Dimension, place: number): HyperparameterValue {
  if (dimension.kind === 'choice') return dimension.values[Math.min(Math.floor(place * dimension.values.length), dimension.values.length - 1)]!
  const { kind, min, max, isLog = false } = dimension
  const step = dimension.step ?? (kind === 'integer' ? 1 : undefined)
  // Half a step more at both ends, so that the outermost values are as likely as the others.
  const [low, high] = step === undefined || isLog ? [min, max] : [min - step / 2, max + step / 2]
  const raw = isLog ? Math.exp(Math.log(low) + place * (Math.log(high) - Math.log(low))) : low + place * (high - low)
  return step === undefined ? raw : onStep(raw, min, max, step)
}

/** Where a value lies in 0…1 of its dimension: the other way round. Pure. */
export function placeOf (dimension: Dimension, value: HyperparameterValue): number {
  if (dimension.kind === 'choice') return (dimension.values.indexOf(value) + 0.5) / dimension.values.length
  const { min, max, isLog = false } = dimension
  if (min === max) return 0.5
  const scale = (x: number): number => isLog ? Math.log(x) : x
  return (scale(Number(value)) - scale(min)) / (scale(max) - scale(min))
}

/** Every value of a dimension; of one without steps `points` of them, evenly spread, if there are more than twice as many. Pure. */
export function valuesOf (dimension: Dimension, points: number): readonly HyperparameterValue[] {
  if (dimension.kind === 'choice') return dimension.values
  const { kind, min, max } = dimension
  const step = dimension.step ?? (kind === 'integer' && max - min < 2 * points ? 1 : undefined)
  const count = step === undefined ? points : Math.floor((max - min) / step + 1e-9) + 1
  const places = Array.from({ length: count }, (_, index) => count === 1 ? 0.5 : index / (count - 1))
  const values = step === undefined
    ? places.map(place => between(dimension, place)).map(value => kind === 'integer' ? Math.round(value) : value)
    : places.map((_, index) => tidy(min + index * step))
  return [...new Set(values)]
}

function between ({ min, max, isLog = false }: Range, place: number): number {
  return isLog ? Math.exp(Math.log(min) + place * (Math.log(max) - Math.log(min))) : min + place * (max - min)
}

/** Chooses a value for each hyperparameter that counts. `choose` is asked in the space's order. */
export function choose (space: SearchSpace, pick: (name: string, dimension: Dimension) => HyperparameterValue): Hyperparameters {
  const chosen: Record<string, HyperparameterValue> = {}
  for (const [name, dimension] of Object.entries(space)) {
    if (isActive(dimension, chosen)) chosen[name] = pick(name, dimension)
  }
  return chosen
}

/** Random hyperparameters, the same for the same seed and number. Pure. */
export function sample (space: SearchSpace, seed: number, number: number): Hyperparameters {
  const random = seededRandom(derivedSeed(seed, number))
  return choose(space, (_, dimension) => valueAt(dimension, random()))
}

/** All combinations, in a fixed order; a hyperparameter that does not count is left out, and what is then the same comes once. Pure. */
export function grid (space: SearchSpace, points: number): Hyperparameters[] {
  const names = Object.entries(space)
  return names.reduce<Hyperparameters[]>((chosen, [name, dimension]) => chosen.flatMap(before => (
    isActive(dimension, before) ? valuesOf(dimension, points).map(value => ({ ...before, [name]: value })) : [before]
  )), [{}])
}

function onStep (raw: number, min: number, max: number, step: number): number {
  const last = Math.floor((max - min) / step + 1e-9)
  return tidy(min + Math.min(Math.max(Math.round((raw - min) / step), 0), last) * step)
}

/** Without the tail that adding 0.1 three times leaves. */
function tidy (value: number): number {
  return Number(value.toPrecision(12))
}
