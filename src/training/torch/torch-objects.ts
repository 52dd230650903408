import { BadWeightsError } from '../../errors.ts'
import type { ValueDType } from '../../tensorflow/dtype.ts'
import { describe, PickleTuple, quote, type PickleGlobal, type PickleStorage, type PickleTensor, type PickleValue } from './pickle-values.ts'

/** More dimensions than any kernel has. */
const MAX_RANK = 8

const STORAGE_TYPES: [name: string, dtype: ValueDType][] = [
  ['FloatStorage', 'float32'], ['DoubleStorage', 'float64'], ['HalfStorage', 'float16'], ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'], ['IntStorage', 'int32'], ['ShortStorage', 'int16'], ['CharStorage', 'int8'], ['ByteStorage', 'uint8']
]

/** Every name that a file of weights may refer to, as `module name`. */
const GLOBALS = new Map<string, PickleGlobal>([
  ['collections OrderedDict', { kind: 'ordered-dict' }],
  ['torch._utils _rebuild_tensor_v2', { kind: 'rebuild-tensor' }],
  ['torch._utils _rebuild_parameter', { kind: 'rebuild-parameter' }],
  ...STORAGE_TYPES.map(([name, dtype]): [string, PickleGlobal] => [`torch ${name}`, { kind: 'storage-type', dtype }])
])

/** @throws BadWeightsError for every name but the few above */
export function findGlobal (module: string, name: string): PickleGlobal {
  const found = GLOBALS.get(`${module} ${name}`)
  if (found === undefined) throw new BadWeightsError(`refers to ${quote(`${module}.${name}`)}, which has no place in a file of plain tensors`)
  return found
}

/** What Python would get by calling `callee`; here only the three known calls, which just describe a value. */
export function reduce (callee: PickleValue, args: PickleValue): PickleValue {
  if (!(args instanceof PickleTuple)) throw new BadWeightsError(`calls with ${describe(args)}, not with a tuple`)
  if (callee !== null && typeof callee === 'object' && 'kind' in callee) {
    if (callee.kind === 'ordered-dict') return emptyDict(args.items)
    if (callee.kind === 'rebuild-tensor') return rebuildTensor(args.items)
    if (callee.kind === 'rebuild-parameter') return tensorOf(args.items[0])
  }
  throw new BadWeightsError(`calls ${describe(callee)}`)
}

/**
 * A storage from its persistent id: ('storage', type, key, device, elements, None).
 *
 * @throws BadWeightsError for other shapes, a view of another storage among them (files of PyTorch before 0.4)
 */
export function storageFromId (id: PickleValue): PickleStorage {
  if (!(id instanceof PickleTuple) || id.items.length < 5 || id.items.length > 6) throw new BadWeightsError(`a storage's id is ${describe(id)}`)
  const [tag, type, key, device, length, view = null] = id.items
  if (tag !== 'storage' || typeof key !== 'string' || typeof device !== 'string') throw new BadWeightsError('a storage\'s id does not name a storage')
  if (view !== null) throw new BadWeightsError(`storage ${quote(key)} is a view of another one, which is not read here`)
  return { kind: 'storage', key, dtype: storageType(type), length: count(length, 'a storage\'s length') }
}

function emptyDict (args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw new BadWeightsError('makes an OrderedDict from arguments; only an empty one is read here')
  return new Map()
}

/** From (storage, offset, shape, strides, requires_grad, hooks[, metadata]). */
function rebuildTensor (args: readonly PickleValue[]): PickleTensor {
  const [storage, offset, shape, strides] = args
  if (args.length < 6 || args.length > 7) throw new BadWeightsError(`makes a tensor from ${args.length} arguments`)
  const tensor: PickleTensor = {
    kind: 'tensor',
    storage: storageOf(storage),
    offset: count(offset, 'a tensor\'s offset'),
    shape: counts(shape, 'a tensor\'s shape'),
    strides: counts(strides, 'a tensor\'s strides')
  }
  checkInside(tensor)
  return tensor
}

/** Refuses a tensor with an element outside its storage, or with more elements than its storage has. */
function checkInside ({ storage, offset, shape, strides }: PickleTensor): void {
  if (shape.length !== strides.length) throw new BadWeightsError(`a tensor has ${shape.length} sides and ${strides.length} strides`)
  let elements = 1
  let last = offset
  for (const [axis, side] of shape.entries()) {
    elements *= side
    last += (side - 1) * (strides[axis] ?? 0)
  }
  const inside = elements === 0 ? offset <= storage.length : last < storage.length && elements <= storage.length
  if (!inside) throw new BadWeightsError(`a tensor [${shape.join(', ')}] does not fit in its storage of ${storage.length} elements`)
}

function storageType (value: PickleValue | undefined): ValueDType {
  if (isKind(value, 'storage-type')) return value.dtype
  throw new BadWeightsError(`a storage's type is ${describe(value)}`)
}

function storageOf (value: PickleValue | undefined): PickleStorage {
  if (isKind(value, 'storage')) return value
  throw new BadWeightsError(`a tensor's storage is ${describe(value)}`)
}

function tensorOf (value: PickleValue | undefined): PickleTensor {
  if (isKind(value, 'tensor')) return value
  throw new BadWeightsError(`a parameter's tensor is ${describe(value)}`)
}

type Kinded = Extract<PickleValue, { readonly kind: string }>

function isKind<K extends Kinded['kind']> (value: PickleValue | undefined, kind: K): value is Extract<Kinded, { readonly kind: K }> {
  return value !== null && typeof value === 'object' && 'kind' in value && value.kind === kind
}

function counts (value: PickleValue | undefined, what: string): number[] {
  if (!(value instanceof PickleTuple) || value.items.length > MAX_RANK) throw new BadWeightsError(`${what} is ${describe(value)}`)
  return value.items.map(item => count(item, what))
}

function count (value: PickleValue | undefined, what: string): number {
  if (typeof value === 'number' && value >= 0) return value
  throw new BadWeightsError(`${what} holds ${describe(value)}`)
}
