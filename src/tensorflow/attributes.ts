import { inspect } from 'node:util'
import { api } from './library.ts'
import type { Pointer } from './c-api.ts'
import { addressOf, pointerArray } from './buffer.ts'
import { checked } from './status.ts'
import { dtypeCode, type DType, type TensorValue } from './dtype.ts'
import { Tensor } from './tensor.ts'
import type { OpDef } from './proto/tensorflow_pb.js'

/** A shape as an attribute: −1 for a free dimension, null for an open rank. */
export type ShapeAttribute = readonly number[] | null

/**
 * What an attribute may be given as. TensorFlow's own definition of the operation decides how it is read: `type` takes a type's name,
 * `int` a number or bigint, `shape` a list of numbers, `func` a function's name, `list(…)` a list of those.
 */
export type AttributeValue = number | bigint | boolean | string | Uint8Array | ShapeAttribute | TensorValue |
  readonly bigint[] | readonly boolean[] | readonly string[] | readonly ShapeAttribute[]

export type Attributes = Readonly<Record<string, AttributeValue | undefined>>

type Setter = (description: Pointer, name: string, value: never) => void

/** Sets one kind of attribute; every value was checked by `kindOf` before. */
const SETTERS: Record<string, Setter> = {
  int: (description, name, value: number | bigint) => { api().TF_SetAttrInt(description, name, value) },
  float: (description, name, value: number) => { api().TF_SetAttrFloat(description, name, value) },
  bool: (description, name, value: boolean) => { api().TF_SetAttrBool(description, name, value ? 1 : 0) },
  type: (description, name, value: DType) => { api().TF_SetAttrType(description, name, dtypeCode(value)) },
  shape: (description, name, value: ShapeAttribute) => { api().TF_SetAttrShape(description, name, dims(value), value === null ? -1 : value.length) },
  string: (description, name, value: string | Uint8Array) => { const bytes = utf8(value); api().TF_SetAttrString(description, name, bytes, bytes.byteLength) },
  func: (description, name, value: string) => { const bytes = utf8(value); api().TF_SetAttrFuncName(description, name, bytes, bytes.byteLength) },
  tensor: setTensor,
  'list(int)': (description, name, value: readonly (number | bigint)[]) => { api().TF_SetAttrIntList(description, name, BigInt64Array.from(value, BigInt), value.length) },
  'list(float)': (description, name, value: readonly number[]) => { api().TF_SetAttrFloatList(description, name, Float32Array.from(value), value.length) },
  'list(bool)': (description, name, value: readonly boolean[]) => { api().TF_SetAttrBoolList(description, name, Uint8Array.from(value, Number), value.length) },
  'list(type)': (description, name, value: readonly DType[]) => { api().TF_SetAttrTypeList(description, name, Int32Array.from(value, dtypeCode), value.length) },
  'list(string)': setStringList,
  'list(shape)': setShapeList
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint'
const isText = (value: unknown): boolean => typeof value === 'string' || value instanceof Uint8Array
const isShape = (value: unknown): boolean => value === null || (Array.isArray(value) && value.every(isNumber))

const CHECKS: Record<string, (value: unknown) => boolean> = {
  int: value => typeof value === 'bigint' || Number.isInteger(value),
  float: value => typeof value === 'number',
  bool: value => typeof value === 'boolean',
  type: value => typeof value === 'string',
  shape: isShape,
  string: isText,
  func: value => typeof value === 'string',
  tensor: value => typeof value === 'object' && value !== null && 'dtype' in value
}

/**
 * Finds how each attribute is to be set, before the operation is begun: TensorFlow has no way to drop a begun one.
 *
 * @throws TypeError naming the attribute that the operation has not, or whose value is of another kind, and what it has
 */
export function attributeSetters (definition: OpDef, attributes: Attributes): ((description: Pointer) => void)[] {
  return Object.entries(attributes).filter(([, value]) => value !== undefined).map(([name, value]) => {
    const kind = definition.attr.find(attribute => attribute.name === name)?.type ?? privateKind(name, value)
    if (kind === undefined) throw new TypeError(`${definition.name} has no attribute "${name}"; it has: ${definition.attr.map(attribute => attribute.name).join(', ')}`)
    const set = SETTERS[kind]
    if (set === undefined || !isOfKind(kind, value)) throw new TypeError(`Expected ${kind} for ${definition.name}'s attribute "${name}" but received ${inspect(value)}`)
    return description => { set(description, name, value as never) }
  })
}

/** Hints to TensorFlow itself, as `_lower_using_switch_merge`, may be set on any operation. */
function privateKind (name: string, value: AttributeValue | undefined): string | undefined {
  return name.startsWith('_') && typeof value === 'boolean' ? 'bool' : undefined
}

function isOfKind (kind: string, value: unknown): boolean {
  const element = /^list\((\w+)\)$/.exec(kind)?.[1]
  if (element === undefined) return CHECKS[kind]?.(value) ?? false
  return Array.isArray(value) && value.every(item => CHECKS[element]?.(item) ?? false)
}

function setTensor (description: Pointer, name: string, value: TensorValue): void {
  const tensor = Tensor.from(value)
  try {
    checked(status => { api().TF_SetAttrTensor(description, name, tensor.pointer, status) })
  } finally {
    tensor.dispose()
  }
}

function setStringList (description: Pointer, name: string, value: readonly (string | Uint8Array)[]): void {
  const strings = value.map(utf8)
  const lengths = BigUint64Array.from(strings, ({ byteLength }) => BigInt(byteLength))
  api().TF_SetAttrStringList(description, name, pointerArray(strings.map(addressOf)), lengths, strings.length)
}

function setShapeList (description: Pointer, name: string, value: readonly ShapeAttribute[]): void {
  const shapes = value.map(dims)
  const counts = Int32Array.from(value, shape => shape === null ? -1 : shape.length)
  api().TF_SetAttrShapeList(description, name, pointerArray(shapes.map(addressOf)), counts, shapes.length)
}

function dims (shape: ShapeAttribute): BigInt64Array {
  return BigInt64Array.from(shape ?? [], BigInt)
}

/** At least one byte long, so that it has an address; the length that counts is given apart. */
function utf8 (text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? new TextEncoder().encode(text) : text
}
