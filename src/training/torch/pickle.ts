import { BadWeightsError } from '../../errors.ts'
import type { ByteReader } from './byte-reader.ts'
import { describe, PickleTuple, quote, type PickleDict, type PickleValue } from './pickle-values.ts'
import { findGlobal, reduce, storageFromId } from './torch-objects.ts'

/** Values that may wait on the stack at once; Python writes dictionaries in runs of 1 000 entries, so real files need some 2 000. */
const MAX_STACK = 100_000
/** Opcodes of one pickle; a file of 300 tensors has some 10 000. Bounds memory, since one byte can ask for a dictionary of hundreds. */
const MAX_OPCODES = 1_000_000
/** Bytes of a number written as LONG1; PyTorch's magic number has 10. */
const MAX_LONG_BYTES = 16

const MARK = Symbol('mark')
type StackItem = PickleValue | typeof MARK

/** What one opcode does. */
type Step = (machine: PickleMachine) => void

/**
 * The opcodes of pickle protocol 2 that PyTorch writes for a dictionary of tensors, and no others.
 * @see Python's Lib/pickletools.py, which describes each
 */
const STEPS = new Map<number, [name: string, step: Step]>([
  [0x80, ['PROTO', machine => { machine.checkProtocol() }]],
  [0x28, ['MARK', machine => { machine.push(MARK) }]],
  [0x4e, ['NONE', machine => { machine.push(null) }]],
  [0x88, ['NEWTRUE', machine => { machine.push(true) }]],
  [0x89, ['NEWFALSE', machine => { machine.push(false) }]],
  [0x4b, ['BININT1', machine => { machine.push(machine.reader.uint8()) }]],
  [0x4d, ['BININT2', machine => { machine.push(machine.reader.uint16()) }]],
  [0x4a, ['BININT', machine => { machine.push(machine.reader.int32()) }]],
  [0x8a, ['LONG1', machine => { machine.push(readLong(machine.reader)) }]],
  [0x58, ['BINUNICODE', machine => { machine.push(machine.reader.text(machine.reader.uint32())) }]],
  [0x7d, ['EMPTY_DICT', machine => { machine.push(new Map()) }]],
  [0x5d, ['EMPTY_LIST', machine => { machine.push([]) }]],
  [0x29, ['EMPTY_TUPLE', machine => { machine.push(new PickleTuple([])) }]],
  [0x85, ['TUPLE1', machine => { machine.push(new PickleTuple(machine.popLast(1))) }]],
  [0x86, ['TUPLE2', machine => { machine.push(new PickleTuple(machine.popLast(2))) }]],
  [0x87, ['TUPLE3', machine => { machine.push(new PickleTuple(machine.popLast(3))) }]],
  [0x74, ['TUPLE', machine => { machine.push(new PickleTuple(machine.popToMark())) }]],
  [0x61, ['APPEND', machine => { machine.extendList(machine.popLast(1)) }]],
  [0x65, ['APPENDS', machine => { machine.extendList(machine.popToMark()) }]],
  [0x73, ['SETITEM', machine => { machine.extendDict(machine.popLast(2)) }]],
  [0x75, ['SETITEMS', machine => { machine.extendDict(machine.popToMark()) }]],
  [0x71, ['BINPUT', machine => { machine.remember(machine.reader.uint8()) }]],
  [0x72, ['LONG_BINPUT', machine => { machine.remember(machine.reader.uint32()) }]],
  [0x68, ['BINGET', machine => { machine.recall(machine.reader.uint8()) }]],
  [0x6a, ['LONG_BINGET', machine => { machine.recall(machine.reader.uint32()) }]],
  [0x63, ['GLOBAL', machine => { machine.push(findGlobal(machine.reader.line(), machine.reader.line())) }]],
  [0x52, ['REDUCE', machine => { const args = machine.pop(); machine.push(reduce(machine.pop(), args)) }]],
  [0x51, ['BINPERSID', machine => { machine.push(storageFromId(machine.pop())) }]],
  [0x62, ['BUILD', machine => { machine.dropAttributes() }]]
])
const STOP = 0x2e

/**
 * Reads one pickle as data, up to its STOP. Nothing in it is executed: names stand for themselves, and the few calls that a file of
 * tensors has are described (@see torch-objects.ts), not made. Work and memory are bounded, whatever the bytes.
 *
 * @param reader at the pickle's first byte; afterwards behind its STOP
 * @throws BadWeightsError for every opcode, name or shape that such a file does not have; the message names it and its byte
 */
export function readPickle (reader: ByteReader): PickleValue {
  const machine = new PickleMachine(reader)
  for (let opcodes = 0; opcodes < MAX_OPCODES; opcodes++) {
    const start = reader.offset
    const opcode = reader.uint8()
    if (opcode === STOP) return withPlace(`byte ${start}: STOP`, () => machine.finish())
    const [name, step] = STEPS.get(opcode) ?? ['', undefined]
    if (step === undefined) throw new BadWeightsError(`byte ${start}: opcode 0x${opcode.toString(16).padStart(2, '0')} has no place in a file of plain tensors`)
    withPlace(`byte ${start}: ${name}`, () => { step(machine) })
  }
  throw new BadWeightsError(`byte ${reader.offset}: the pickle has more than ${MAX_OPCODES} opcodes`)
}

/** Puts the place in front of the problem. */
function withPlace<T> (place: string, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof BadWeightsError) throw new BadWeightsError(`${place} ${error.message}`)
    throw error
  }
}

/** The stack and the memo of one pickle. */
class PickleMachine {
  readonly reader: ByteReader
  readonly #stack: StackItem[] = []
  readonly #memo = new Map<number, PickleValue>()

  constructor (reader: ByteReader) {
    this.reader = reader
  }

  push (item: StackItem): void {
    if (this.#stack.length >= MAX_STACK) throw new BadWeightsError(`puts more than ${MAX_STACK} values on the stack`)
    this.#stack.push(item)
  }

  pop (): PickleValue {
    const item = this.#stack.pop()
    if (item === undefined || item === MARK) throw new BadWeightsError('finds no value on the stack')
    return item
  }

  /** The last `length` values, in the order they were pushed. */
  popLast (length: number): PickleValue[] {
    return Array.from({ length }, () => this.pop()).reverse()
  }

  /** What was pushed since the last mark, which goes too. */
  popToMark (): PickleValue[] {
    const items: PickleValue[] = []
    for (let item = this.#stack.pop(); item !== MARK; item = this.#stack.pop()) {
      if (item === undefined) throw new BadWeightsError('finds no mark on the stack')
      items.push(item)
    }
    return items.reverse()
  }

  remember (index: number): void {
    const item = this.#top()
    if (this.#memo.has(index)) throw new BadWeightsError(`writes memo ${index} again`)
    this.#memo.set(index, item)
  }

  recall (index: number): void {
    const item = this.#memo.get(index)
    if (item === undefined) throw new BadWeightsError(`reads memo ${index}, which was never written`)
    this.push(item)
  }

  extendList (items: readonly PickleValue[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw new BadWeightsError(`appends to ${describe(list)}`)
    for (const item of items) list.push(item)
  }

  /** @param items key, value, key, value … */
  extendDict (items: readonly PickleValue[]): void {
    const dict = this.#top()
    if (!(dict instanceof Map)) throw new BadWeightsError(`sets an item of ${describe(dict)}`)
    if (items.length % 2 !== 0) throw new BadWeightsError('sets a key without a value')
    for (let index = 0; index < items.length; index += 2) addEntry(dict, items[index], items[index + 1])
  }

  /** A state dictionary carries its modules' version numbers as attributes; they are read and left out. */
  dropAttributes (): void {
    const attributes = this.pop()
    const target = this.#top()
    if (!(attributes instanceof Map) || !(target instanceof Map)) throw new BadWeightsError(`gives ${describe(target)} the attributes ${describe(attributes)}`)
  }

  checkProtocol (): void {
    const version = this.reader.uint8()
    if (version !== 2) throw new BadWeightsError(`says pickle protocol ${version}; only 2 is read here`)
  }

  finish (): PickleValue {
    const value = this.pop()
    if (this.#stack.length > 0) throw new BadWeightsError(`comes with ${this.#stack.length} values left over`)
    return value
  }

  #top (): PickleValue {
    const item = this.#stack.at(-1)
    if (item === undefined || item === MARK) throw new BadWeightsError('finds no value on the stack')
    return item
  }
}

function addEntry (dict: PickleDict, key: PickleValue | undefined, value: PickleValue | undefined): void {
  if (typeof key !== 'string') throw new BadWeightsError(`uses ${describe(key)} as a key`)
  if (value === undefined || dict.has(key)) throw new BadWeightsError(`sets the key ${quote(key)} twice`)
  dict.set(key, value)
}

/** A whole number as little-endian two's complement; a bigint only where a number would round it. */
function readLong (reader: ByteReader): number | bigint {
  const length = reader.uint8()
  if (length > MAX_LONG_BYTES) throw new BadWeightsError(`holds a number of ${length} bytes`)
  let unsigned = 0n
  for (const byte of [...reader.take(length)].reverse()) unsigned = unsigned << 8n | BigInt(byte)
  const value = BigInt.asIntN(8 * length, unsigned)
  const rounded = Number(value)
  return Number.isSafeInteger(rounded) ? rounded : value
}
