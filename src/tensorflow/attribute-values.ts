import { create } from '@bufbuild/protobuf'
import { dtypeCode } from './dtype.ts'
import { AttrValueSchema, type AttrValue, type NodeDef, type TensorShape } from './proto/tensorflow_pb.js'

/** TensorFlow's numbers of types. */
export const [FLOAT32, INT32, INT64] = [dtypeCode('float32'), dtypeCode('int32'), dtypeCode('int64')]

export function ofType (dtype: number): AttrValue {
  return create(AttrValueSchema, { type: dtype })
}

export function ofBoolean (value: boolean): AttrValue {
  return create(AttrValueSchema, { b: value })
}

export function ofInteger (value: number): AttrValue {
  return create(AttrValueSchema, { i: BigInt(value) })
}

export function ofFloat (value: number): AttrValue {
  return create(AttrValueSchema, { f: value })
}

export function ofText (text: string): AttrValue {
  return create(AttrValueSchema, { s: Buffer.from(text) })
}

export function ofIntegers (numbers: readonly number[]): AttrValue {
  return create(AttrValueSchema, { list: { i: numbers.map(BigInt) } })
}

export function textOf (value: AttrValue | undefined): string {
  return Buffer.from(value?.s ?? '').toString()
}

export function integersOf (value: AttrValue | undefined): number[] {
  return (value?.list?.i ?? []).map(Number)
}

/** −1 for a free dimension. @returns undefined if even the rank is open */
export function sidesOf (shape: TensorShape | undefined): number[] | undefined {
  return shape === undefined || shape.unknownRank ? undefined : shape.dim.map(({ size }) => Number(size))
}

/** Where an operation's channels are: `NHWC` or `NCHW`. */
export function layoutOf ({ attr }: NodeDef): string {
  return textOf(attr['data_format']) || 'NHWC'
}
