import { readFile } from 'node:fs/promises'
import t from 'tap'
import { BadWeightsError } from '../../../src/errors.ts'
import { readTorchTensors } from '../../../src/training/torch/torch-file.ts'
import * as p from '../../support/pickle-bytes.ts'

const small = await readFile(new URL('fixtures/small.pth', import.meta.url))

t.test('reads every tensor of a file that Python\'s pickler wrote, in order and row-major', async t => {
  const tensors = readTorchTensors(small)
  t.strictSame([...tensors], [
    ['conv.weight', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(1, 3, 5, 2, 4, 6) }],
    ['conv.bias', { dtype: 'float32', shape: [2], data: Float32Array.of(7.5, -8) }],
    ['head.weight', { dtype: 'float32', shape: [2, 1, 2], data: Float32Array.of(3, 4, 5, 6) }],
    ['steps', { dtype: 'int64', shape: [], data: BigInt64Array.of(2n ** 53n + 1n) }],
    ['half', { dtype: 'float16', shape: [2], data: Uint16Array.of(0x3800, 0xc000) }],
    ['__proto__', { dtype: 'uint8', shape: [3], data: Uint8Array.of(255, 0, 7) }],
    ['none', { dtype: 'uint8', shape: [0, 4], data: Uint8Array.of() }]
  ])
})

t.test('reads a file that lies anywhere in memory', async t => {
  const shifted = Buffer.concat([Buffer.from('x'), small]).subarray(1)
  t.strictSame(readTorchTensors(shifted), readTorchTensors(small))
})

t.test('reads any order of strides', async t => {
  const shape = [2, 2, 3]
  const numbers = Array.from({ length: 12 }, (_, index) => index)
  const from = p.storage({ length: p.int(12) })
  const state = p.pickle(p.dict(p.string('w'), p.tensor({ from, shape, strides: [1, 6, 2] })))
  const tensors = readTorchTensors(p.torchFile({ state, blocks: [p.block(numbers)] }))
  t.strictSame(tensors.get('w'), { dtype: 'float32', shape, data: Float32Array.of(0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11) })
})

t.test('a file cut at any byte is refused', async t => {
  const lengths = Array.from(small.keys())
  const read = lengths.filter(length => !refuses(small.subarray(0, length)))
  t.strictSame(read, [])
})

const state = (...entries: Buffer[]) => ({ state: p.pickle(p.dict(...entries)) })
const one = (entry: Buffer) => state(p.string('w'), entry)

const refused: [what: string, file: Buffer, message: RegExp][] = [
  ['bytes after the last storage', Buffer.concat([p.torchFile(), Buffer.from('x')]), /1 bytes follow the last storage/],
  ['a zip file of newer PyTorch', Buffer.from('PK\x03\x04rest'), /newer zip format/],
  ['another magic number', p.torchFile({ magic: p.pickle(p.long(7n)) }), /magic number/],
  ['another protocol', p.torchFile({ protocol: p.pickle(p.int(1002)) }), /protocol is 1002; only 1001/],
  ['a big-endian file', p.torchFile({ system: p.pickle(p.dict(p.string('little_endian'), p.FALSE)) }), /little-endian/],
  ['a system that is no dictionary', p.torchFile({ system: p.pickle(p.NONE) }), /little-endian/],
  ['a list instead of a dictionary', p.torchFile({ state: p.pickle(p.EMPTY_LIST) }), /holds a list of 0, not a dictionary/],
  ['a lone tensor', p.torchFile({ state: p.pickle(p.tensor()) }), /holds a tensor, not a dictionary/],
  ['a number among the tensors', p.torchFile(state(p.string('epoch'), p.int(3))), /"epoch" is 3, not a tensor/],
  ['a dictionary among the tensors', p.torchFile(state(p.string('state_dict'), p.dict())), /"state_dict" is a dictionary of 0/],
  ['an offset outside the storage', p.torchFile(one(p.tensor({ offset: p.int(1) }))), /\[2, 3\] does not fit in its storage of 6/],
  ['strides outside the storage', p.torchFile(one(p.tensor({ strides: [4, 1] }))), /does not fit/],
  ['a shape larger than its storage', p.torchFile(one(p.tensor({ shape: [2000000, 1], strides: [0, 1] }))), /does not fit/],
  ['sides whose product no number holds', p.torchFile(one(p.tensor({ shape: Array<number>(8).fill(2 ** 31 - 1), strides: Array<number>(8).fill(0) }))), /does not fit/],
  ['a negative offset', p.torchFile(one(p.tensor({ offset: p.int(-1) }))), /a tensor's offset holds -1/],
  ['a negative side', p.torchFile(one(p.tensor({ shape: [-2, -3] }))), /a tensor's shape holds -2/],
  ['a negative stride', p.torchFile(one(p.tensor({ strides: [-3, 1] }))), /a tensor's strides holds -3/],
  ['fewer strides than sides', p.torchFile(one(p.tensor({ strides: [1] }))), /2 sides and 1 strides/],
  ['nine dimensions', p.torchFile(one(p.tensor({ shape: Array<number>(9).fill(1) }))), /shape is a tuple of 9/],
  ['an offset no number holds', p.torchFile(one(p.tensor({ offset: p.long(2n ** 70n) }))), /offset holds 1180591620717411303424/],
  ['a storage of negative length', p.torchFile(one(p.tensor({ from: p.storage({ length: p.int(-6) }) }))), /a storage's length holds -6/],
  ['a view of another storage', p.torchFile(one(p.tensor({ from: p.storage({ view: p.tuple() }) }))), /view of another one/],
  ['a storage type that is none', p.torchFile(one(p.tensor({ from: p.storage({ type: p.int(1) }) }))), /a storage's type is 1/],
  ['a tensor of no storage', p.torchFile(one(p.tensor({ from: p.dict() }))), /a tensor's storage is a dictionary/],
  ['two lengths for one storage', p.torchFile(state(p.string('v'), p.tensor(), p.string('w'), p.tensor({ from: p.storage({ length: p.int(7) }) }))), /"a" is described in two ways/],
  ['a storage longer than the file', p.torchFile({ ...one(p.tensor({ from: p.storage({ length: p.long(2n ** 52n) }) })), blocks: [p.block([1], 2n ** 52n)] }), /ends too early/],
  ['a count that its tensors deny', p.torchFile({ blocks: [p.block([1, 2, 3, 4, 5, 6], 5n)] }), /has 5 elements, its tensors say 6/],
  ['a negative count', p.torchFile({ blocks: [p.block([1, 2, 3, 4, 5, 6], -1n)] }), /has -1 elements/],
  ['a storage that is not listed', p.torchFile({ list: p.keys(), blocks: [] }), /1 storages are needed, 0 are there/],
  ['a storage that no tensor needs', p.torchFile({ list: p.keys('b', 'a') }), /storage "b" is listed/],
  ['a storage listed twice', p.torchFile({ list: p.keys('a', 'a') }), /storage "a" is listed/],
  ['keys that are no list', p.torchFile({ list: p.pickle(p.dict()) }), /not a list/],
  ['a key that is no string', p.torchFile({ list: p.pickle(p.EMPTY_LIST, p.MARK, p.int(1), p.APPENDS) }), /key is 1/]
]

for (const [what, file, message] of refused) {
  t.test(`refuses ${what}`, async t => {
    t.throws(() => readTorchTensors(file), { code: 'TRAIN_BAD_WEIGHTS', message })
  })
}

t.test('refuses many reordered views of one storage before they fill memory', async t => {
  const side = 512
  const view = p.tensor({ from: p.storage({ length: p.int(side * side) }), shape: [side, side], strides: [1, side] })
  const names = Array.from({ length: 50 }, (_, index) => p.string(`w${index}`))
  const file = p.torchFile({ ...state(...names.flatMap(name => [name, view])), blocks: [p.block(Array<number>(side * side).fill(1))] })
  t.throws(() => readTorchTensors(file), { code: 'TRAIN_BAD_WEIGHTS', message: /show the same storages more often/ })
})

t.test('2 000 mutations of a file give its refusal or plain tensors, at once and in little memory', async t => {
  const random = seeded(1)
  const before = process.memoryUsage()
  const surprises: number[] = []
  let slowestMs = 0
  for (let round = 0; round < 2000; round++) {
    const file = mutate(small, random)
    const start = performance.now()
    if (!readsOrRefuses(file)) surprises.push(round)
    slowestMs = Math.max(slowestMs, performance.now() - start)
  }
  const { arrayBuffers } = process.memoryUsage()
  t.strictSame(surprises, [], 'every mutation is read or refused')
  t.ok(slowestMs < 1000, `the slowest took ${slowestMs} ms`)
  t.ok(arrayBuffers - before.arrayBuffers < 64 * 2 ** 20, 'buffers stay under 64 MiB')
})

function refuses (file: Uint8Array): boolean {
  try {
    readTorchTensors(file)
    return false
  } catch (error) {
    return error instanceof BadWeightsError
  }
}

/** @returns false for an error of another kind, or for a tensor whose numbers are not as many as its shape says */
function readsOrRefuses (file: Uint8Array): boolean {
  try {
    return [...readTorchTensors(file).values()].every(({ shape, data }) => data.length === shape.reduce((count, side) => count * side, 1))
  } catch (error) {
    return error instanceof BadWeightsError
  }
}

/** Changes, cuts out, doubles or overwrites a few bytes. */
function mutate (file: Uint8Array, random: () => number): Buffer {
  let mutated = Buffer.from(file)
  for (let change = Math.floor(random() * 3); change >= 0; change--) {
    const at = Math.floor(random() * mutated.length)
    const length = 1 + Math.floor(random() * 8)
    const kind = random()
    if (kind < 0.6) mutated[at] = Math.floor(random() * 256)
    else if (kind < 0.75) mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(at + length)])
    else if (kind < 0.9) mutated = Buffer.concat([mutated.subarray(0, at + length), mutated.subarray(at)])
    else mutated.fill(random() < 0.5 ? 0xff : 0, at, Math.min(at + length, mutated.length))
  }
  return mutated
}

/** Numbers in 0…1 that are the same in every run (mulberry32). */
function seeded (seed: number): () => number {
  let state = seed
  return () => {
    state = state + 0x6d2b79f5 | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 4294967296
  }
}
