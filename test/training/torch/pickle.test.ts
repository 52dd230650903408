import t from 'tap'
import { BadWeightsError } from '../../../src/errors.ts'
import { ByteReader } from '../../../src/training/torch/byte-reader.ts'
import { readPickle } from '../../../src/training/torch/pickle.ts'
import { PickleTuple } from '../../../src/training/torch/pickle-values.ts'
import * as p from '../../support/pickle-bytes.ts'

const read = (...steps: Buffer[]) => readPickle(new ByteReader(p.pickle(...steps)))

t.test('reads plain values', async t => {
  t.strictSame(read(p.NONE), null)
  t.strictSame([read(p.TRUE), read(p.FALSE)], [true, false])
  t.strictSame([read(p.int(-5)), read(p.bytes(0x4d, 1, 2)), read(p.bytes(0x4b, 255))], [-5, 513, 255])
  t.strictSame(read(p.string('é')), 'é')
  t.strictSame(read(p.tuple(p.int(1), p.NONE)), new PickleTuple([1, null]))
  t.strictSame(read(p.bytes(0x4b, 1, 0x4b, 2, 0x4b, 3, 0x87)), new PickleTuple([1, 2, 3]))
  t.strictSame(read(p.EMPTY_LIST, p.int(1), p.bytes(0x61)), [1])
})

t.test('reads whole numbers exactly, of any sign', async t => {
  t.equal(read(p.bytes(0x8a, 0)), 0)
  t.equal(read(p.bytes(0x8a, 1, 0xff)), -1)
  t.equal(read(p.bytes(0x8a, 2, 0xff, 0x7f)), 32767)
  t.equal(read(p.long(2n ** 53n + 1n)), 2n ** 53n + 1n)
})

t.test('keys that mean something to JavaScript are only keys', async t => {
  const value = read(p.dict(p.string('__proto__'), p.dict(p.string('polluted'), p.TRUE), p.string('constructor'), p.int(1)))
  t.strictSame(value, new Map<string, unknown>([['__proto__', new Map([['polluted', true]])], ['constructor', 1]]))
  t.notOk('polluted' in {})
})

t.test('a value can be taken from the memo and hold itself', async t => {
  const value = read(p.EMPTY_LIST, p.put(0), p.MARK, p.get(0), p.get(0), p.APPENDS)
  t.ok(Array.isArray(value) && value[0] === value && value[1] === value)
})

t.test('the attributes of a dictionary are read and left out', async t => {
  t.strictSame(read(p.dict(p.string('a'), p.int(1)), p.dict(p.string('_metadata'), p.NONE), p.BUILD), new Map([['a', 1]]))
})

const system = p.global('posix', 'system')
const refused: [what: string, steps: Buffer[], message: RegExp][] = [
  ['a call of a command', [system, p.tuple(p.string('id')), p.REDUCE], /byte 2: GLOBAL refers to "posix\.system"/],
  ['a name in a known module', [p.global('torch', 'load')], /refers to "torch\.load"/],
  ['a name that every JavaScript object has', [p.global('torch', '__proto__')], /refers to "torch\.__proto__"/],
  ['a name whose end is far', [p.global('a'.repeat(500), 'b')], /byte 2: GLOBAL byte 3: a name does not end/],
  ['an opcode of protocol 4', [p.string('posix'), p.string('system'), p.bytes(0x93)], /opcode 0x93/],
  ['an instance of a class', [p.global('collections', 'OrderedDict'), p.EMPTY_TUPLE, p.bytes(0x81)], /byte 28: opcode 0x81/],
  ['protocol 4', [p.bytes(0x80, 4)], /PROTO says pickle protocol 4/],
  ['a call of something else', [p.int(1), p.EMPTY_TUPLE, p.REDUCE], /byte 8: REDUCE calls 1/],
  ['a call of a storage type', [p.global('torch', 'FloatStorage'), p.EMPTY_TUPLE, p.REDUCE], /REDUCE calls a storage type/],
  ['a call without a tuple', [p.global('collections', 'OrderedDict'), p.EMPTY_LIST, p.REDUCE], /REDUCE calls with a list of 0/],
  ['an OrderedDict with arguments', [p.global('collections', 'OrderedDict'), p.tuple(p.EMPTY_LIST), p.REDUCE], /only an empty one/],
  ['a tensor of two arguments', [p.global('torch._utils', '_rebuild_tensor_v2'), p.tuple(p.NONE, p.NONE), p.REDUCE], /from 2 arguments/],
  ['a parameter of no tensor', [p.global('torch._utils', '_rebuild_parameter'), p.tuple(p.TRUE), p.REDUCE], /parameter's tensor is true/],
  ['an id that is no storage\'s', [p.tuple(p.string('module'), p.NONE, p.NONE, p.NONE, p.NONE), p.BINPERSID], /does not name a storage/],
  ['an id that is no tuple', [p.string('a'), p.BINPERSID], /BINPERSID a storage's id is the string "a"/],
  ['attributes of a list', [p.EMPTY_LIST, p.EMPTY_DICT, p.BUILD], /BUILD gives a list of 0 the attributes a dictionary of 0/],
  ['attributes that are no dictionary', [p.EMPTY_DICT, p.NONE, p.BUILD], /the attributes None/],
  ['a key that is no string', [p.dict(p.int(1), p.int(2))], /SETITEMS uses 1 as a key/],
  ['a key set twice', [p.dict(p.string('a'), p.NONE, p.string('a'), p.NONE)], /sets the key "a" twice/],
  ['a key without a value', [p.dict(p.string('a'))], /a key without a value/],
  ['an item of a list by key', [p.EMPTY_LIST, p.string('a'), p.NONE, p.SETITEM], /sets an item of a list of 0/],
  ['an append to a dictionary', [p.EMPTY_DICT, p.MARK, p.NONE, p.APPENDS], /appends to a dictionary of 0/],
  ['a memo never written', [p.get(9)], /reads memo 9, which was never written/],
  ['a memo written twice', [p.NONE, p.put(0), p.put(0)], /writes memo 0 again/],
  ['a mark in the memo', [p.MARK, p.put(0)], /no value on the stack/],
  ['a pop from the empty stack', [p.REDUCE], /byte 2: REDUCE finds no value/],
  ['a pop beyond a mark', [p.NONE, p.MARK, p.bytes(0x85)], /TUPLE1 finds no value/],
  ['a tuple without a mark', [p.NONE, p.TUPLE], /TUPLE finds no mark/],
  ['nothing at all', [], /byte 2: STOP finds no value/],
  ['two values', [p.NONE, p.NONE], /STOP comes with 1 values left over/],
  ['a mark left over', [p.MARK, p.NONE], /STOP comes with 1 values left over/],
  ['a string longer than the file', [p.bytes(0x58, 0xff, 0xff, 0xff, 0xff)], /4294967295 more bytes are needed/],
  ['a string that is not UTF-8', [p.bytes(0x58, 1, 0, 0, 0, 0xff)], /not UTF-8/],
  ['a number of 200 bytes', [p.bytes(0x8a, 200), Buffer.alloc(200)], /a number of 200 bytes/],
  ['a list of very many dictionaries', [p.EMPTY_LIST, Buffer.alloc(4_000_000, '}a')], /more than 1000000 opcodes/],
  ['a name that would speak to the terminal', [p.global('a\u001b[2J', 'b')], /refers to "a\\u001b\[2J\.b"/],
  ['a deep stack', [Buffer.alloc(2_000_000, 0x28)], /puts more than 100000 values/]
]

for (const [what, steps, message] of refused) {
  t.test(`refuses ${what}`, async t => {
    t.throws(() => read(...steps), { code: 'TRAIN_BAD_WEIGHTS', message })
  })
}

t.test('depth costs no stack frames', async t => {
  const value = read(p.NONE, Buffer.alloc(500_000, 0x85))
  t.type(value, PickleTuple)
})

t.test('refuses a pickle without an end', async t => {
  t.throws(() => readPickle(new ByteReader(p.PROTO)), BadWeightsError)
})
