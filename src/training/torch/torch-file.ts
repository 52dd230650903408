import { BadWeightsError } from '../../errors.ts'
import { allocateArray, dtypeSizeBytes, elementCount, numericArray, type NumericArray, type TensorValue } from '../../tensorflow/dtype.ts'
import { ByteReader } from './byte-reader.ts'
import { readPickle } from './pickle.ts'
import { describe, quote, type PickleDict, type PickleStorage, type PickleTensor, type PickleValue } from './pickle-values.ts'

const MAGIC = 0x1950a86a20f9469cfc6cn
const PROTOCOL = 1001

/**
 * Reads the tensors of a file that PyTorch before 1.6 wrote with `torch.save(model.state_dict(), …)`: four pickles (magic number,
 * protocol, system, the dictionary), the pickled list of storage keys, then each storage as an int64 count and its numbers.
 *
 * The file is judged byte by byte and nothing in it is executed. Memory stays under about three times the file's size, and 300 MiB for what describes the tensors.
 *
 * @returns by name, in the file's order; row-major. Tensors that look into one storage may share memory: read only
 * @throws BadWeightsError if it is anything but a flat dictionary of tensors, cut short, or longer than it says
 */
export function readTorchTensors (bytes: Uint8Array): Map<string, TensorValue> {
  const reader = new ByteReader(bytes)
  refuseZip(bytes)
  readHeader(reader)
  const tensors = asTensors(readPickle(reader))
  const storages = readStorages(reader, asKeys(readPickle(reader)), declaredStorages(tensors))
  if (reader.remaining > 0) throw new BadWeightsError(`byte ${reader.offset}: ${reader.remaining} bytes follow the last storage`)
  return layOut(tensors, storages, bytes.byteLength)
}

/** The format since PyTorch 1.6 is another one. */
function refuseZip (bytes: Uint8Array): void {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
    throw new BadWeightsError('the file is in PyTorch\'s newer zip format; save it with torch.save(…, _use_new_zipfile_serialization=False)')
  }
}

function readHeader (reader: ByteReader): void {
  const magic = readPickle(reader)
  if (magic !== MAGIC) throw new BadWeightsError('the file does not start with PyTorch\'s magic number')
  const protocol = readPickle(reader)
  if (protocol !== PROTOCOL) throw new BadWeightsError(`PyTorch's protocol is ${describe(protocol)}; only ${PROTOCOL} is read here`)
  const system = readPickle(reader)
  if (!(system instanceof Map) || system.get('little_endian') !== true) throw new BadWeightsError('the file does not say that its numbers are little-endian')
}

function asTensors (value: PickleValue): Map<string, PickleTensor> {
  if (!(value instanceof Map)) throw new BadWeightsError(`the file holds ${describe(value)}, not a dictionary of tensors`)
  return new Map(entriesOf(value))
}

function * entriesOf (dict: PickleDict): Iterable<[string, PickleTensor]> {
  for (const [name, value] of dict) {
    const isTensor = value !== null && typeof value === 'object' && 'kind' in value && value.kind === 'tensor'
    if (!isTensor) throw new BadWeightsError(`${quote(name)} is ${describe(value)}, not a tensor`)
    yield [name, value]
  }
}

function asKeys (value: PickleValue): string[] {
  if (!Array.isArray(value)) throw new BadWeightsError(`the storages' keys are ${describe(value)}, not a list`)
  return value.map(key => {
    if (typeof key !== 'string') throw new BadWeightsError(`a storage's key is ${describe(key)}`)
    return key
  })
}

/** What the tensors say of the storages they look into. */
function declaredStorages (tensors: Map<string, PickleTensor>): Map<string, PickleStorage> {
  const declared = new Map<string, PickleStorage>()
  for (const { storage } of tensors.values()) {
    const known = declared.get(storage.key) ?? storage
    if (known.dtype !== storage.dtype || known.length !== storage.length) throw new BadWeightsError(`storage ${quote(storage.key)} is described in two ways`)
    declared.set(storage.key, storage)
  }
  return declared
}

/** Reads the storages in the order of `keys`, each declared one once. */
function readStorages (reader: ByteReader, keys: readonly string[], declared: Map<string, PickleStorage>): Map<string, NumericArray> {
  const storages = new Map<string, NumericArray>()
  for (const key of keys) {
    const storage = declared.get(key)
    if (storage === undefined || storages.has(key)) throw new BadWeightsError(`storage ${quote(key)} is listed, but no tensor looks into it or it came before`)
    storages.set(key, readStorage(reader, storage))
  }
  if (storages.size < declared.size) throw new BadWeightsError(`${declared.size} storages are needed, ${storages.size} are there`)
  return storages
}

function readStorage (reader: ByteReader, { key, dtype, length }: PickleStorage): NumericArray {
  const start = reader.offset
  const found = reader.int64()
  if (found !== BigInt(length)) throw new BadWeightsError(`byte ${start}: storage ${quote(key)} has ${found} elements, its tensors say ${length}`)
  return numericArray(dtype, reader.take(length * dtypeSizeBytes(dtype)))
}

/** Gives each tensor its numbers in row-major order. Copies are bounded, so that many views of one storage can't fill memory. */
function layOut (tensors: Map<string, PickleTensor>, storages: Map<string, NumericArray>, budgetBytes: number): Map<string, TensorValue> {
  const values = new Map<string, TensorValue>()
  let left = budgetBytes
  for (const [name, tensor] of tensors) {
    const { shape, storage: { key, dtype } } = tensor
    const storage = storages.get(key)
    if (storage === undefined) throw new Error(`Storage ${key} was not read. This is a bug.`)
    if (!isRowMajor(tensor)) left -= elementCount(shape) * dtypeSizeBytes(dtype)
    if (left < 0) throw new BadWeightsError('its tensors show the same storages more often than a file of weights does')
    values.set(name, { dtype, shape, data: isRowMajor(tensor) ? viewOf(tensor, storage) : copyOf(tensor, storage) })
  }
  return values
}

function isRowMajor ({ shape, strides }: PickleTensor): boolean {
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const side = shape[axis] ?? 0
    if (side !== 1 && strides[axis] !== step) return false
    step *= side
  }
  return true
}

function viewOf ({ offset, shape }: PickleTensor, storage: NumericArray): NumericArray {
  return storage.subarray(offset, offset + elementCount(shape))
}

/** Walks the strides, the last axis fastest. */
function copyOf ({ offset, shape, strides, storage: { dtype } }: PickleTensor, storage: NumericArray): NumericArray {
  const count = elementCount(shape)
  const copy = allocateArray(dtype, count)
  const position = shape.map(() => 0)
  let from = offset
  for (let to = 0; to < count; to++) {
    copy[to] = storage[from] as never
    from = advance(position, shape, strides, from)
  }
  return copy
}

/** Moves `position` to the next element, in place. @returns that element's place in the storage */
function advance (position: number[], shape: readonly number[], strides: readonly number[], from: number): number {
  let place = from
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const next = (position[axis] ?? 0) + 1
    const stride = strides[axis] ?? 0
    if (next < (shape[axis] ?? 0)) {
      position[axis] = next
      return place + stride
    }
    place -= (next - 1) * stride
    position[axis] = 0
  }
  return place
}
