import type { TensorValue } from '../../src/tensorflow/index.ts'
import * as p from './pickle-bytes.ts'

const TYPES: Readonly<Record<string, string>> = { float32: 'FloatStorage', int64: 'LongStorage' }

/** A file as PyTorch before 1.6 wrote it: each tensor row-major in a storage of its own. Float32 and int64. */
export function torchFileOf (tensors: ReadonlyMap<string, TensorValue>): Buffer {
  const entries = [...tensors]
  const state = entries.flatMap(([name, { dtype, shape, data }], index) => {
    const from = p.storage({ type: p.global('torch', TYPES[dtype]!), key: String(index), length: p.int(data.length) })
    return [p.string(name), p.tensor({ from, shape: [...shape], strides: stridesOf(shape) })]
  })
  return p.torchFile({
    state: p.pickle(p.dict(...state)),
    list: p.keys(...entries.map((_, index) => String(index))),
    blocks: entries.flatMap(([, { data }]) => [countOf(data.length), bytesOf(data as Float32Array)])
  })
}

function stridesOf (shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
}

function countOf (elements: number): Buffer {
  const count = Buffer.alloc(8)
  count.writeBigInt64LE(BigInt(elements))
  return count
}

function bytesOf (data: ArrayBufferView): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
