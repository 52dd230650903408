/** Writes pickles opcode by opcode, so that tests can say things that no pickler would. */

export const PROTO = bytes(0x80, 2)
export const MARK = bytes(0x28)
export const STOP = bytes(0x2e)
export const NONE = bytes(0x4e)
export const TRUE = bytes(0x88)
export const FALSE = bytes(0x89)
export const EMPTY_DICT = bytes(0x7d)
export const EMPTY_LIST = bytes(0x5d)
export const EMPTY_TUPLE = bytes(0x29)
export const TUPLE = bytes(0x74)
export const APPENDS = bytes(0x65)
export const SETITEM = bytes(0x73)
export const SETITEMS = bytes(0x75)
export const REDUCE = bytes(0x52)
export const BINPERSID = bytes(0x51)
export const BUILD = bytes(0x62)

export function bytes (...values: number[]): Buffer {
  return Buffer.from(values)
}

export function int (value: number): Buffer {
  const buffer = Buffer.alloc(5, 0x4a)
  buffer.writeInt32LE(value, 1)
  return buffer
}

/** LONG1 of the fewest bytes that hold `value`, which is not negative. */
export function long (value: bigint): Buffer {
  const digits: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) digits.push(Number(rest & 255n))
  if ((digits.at(-1) ?? 0) > 127) digits.push(0)
  return bytes(0x8a, digits.length, ...digits)
}

export function string (value: string): Buffer {
  const text = Buffer.from(value)
  const length = Buffer.alloc(5, 0x58)
  length.writeUInt32LE(text.length, 1)
  return Buffer.concat([length, text])
}

export function global (module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`)
}

export function put (index: number): Buffer {
  return bytes(0x71, index)
}

export function get (index: number): Buffer {
  return bytes(0x68, index)
}

export function tuple (...items: Buffer[]): Buffer {
  return Buffer.concat([MARK, ...items, TUPLE])
}

export function dict (...items: Buffer[]): Buffer {
  return Buffer.concat([EMPTY_DICT, MARK, ...items, SETITEMS])
}

export function pickle (...steps: Buffer[]): Buffer {
  return Buffer.concat([PROTO, ...steps, STOP])
}

/** A storage's persistent id; by default 6 floats named "a". */
export function storage ({ type = global('torch', 'FloatStorage'), key = 'a', length = int(6), view = NONE } = {}): Buffer {
  return Buffer.concat([tuple(string('storage'), type, string(key), string('cpu'), length, view), BINPERSID])
}

/** A tensor made by a call; by default all 6 numbers of the default storage, as [2, 3]. */
export function tensor ({ from = storage(), offset = int(0), shape = [2, 3], strides = [3, 1] } = {}): Buffer {
  const sides = tuple(...shape.map(int))
  const steps = tuple(...strides.map(int))
  const hooks = Buffer.concat([global('collections', 'OrderedDict'), EMPTY_TUPLE, REDUCE])
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), tuple(from, offset, sides, steps, FALSE, hooks), REDUCE])
}

export const MAGIC = pickle(long(0x1950a86a20f9469cfc6cn))
export const PROTOCOL = pickle(int(1001))
export const SYSTEM = pickle(dict(string('little_endian'), TRUE))

/** The list of the storages' keys. */
export function keys (...names: string[]): Buffer {
  return pickle(EMPTY_LIST, MARK, ...names.map(string), APPENDS)
}

/** A storage's own bytes: count, then numbers. */
export function block (numbers: readonly number[], count = BigInt(numbers.length)): Buffer {
  const buffer = Buffer.alloc(8 + 4 * numbers.length)
  buffer.writeBigInt64LE(count)
  for (const [index, number] of numbers.entries()) buffer.writeFloatLE(number, 8 + 4 * index)
  return buffer
}

/** A whole file of one tensor "w", unless its parts say otherwise. */
export function torchFile ({ magic = MAGIC, protocol = PROTOCOL, system = SYSTEM, state = pickle(dict(string('w'), tensor())), list = keys('a'), blocks = [block([1, 2, 3, 4, 5, 6])] } = {}): Buffer {
  return Buffer.concat([magic, protocol, system, state, list, ...blocks])
}
