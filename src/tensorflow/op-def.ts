import { fromBinary } from '@bufbuild/protobuf'
import type { Pointer } from './c-api.ts'
import { api } from './library.ts'
import { readBuffer } from './buffer.ts'
import { checked, TensorFlowError } from './status.ts'
import { OpDefSchema, type OpDef } from './proto/tensorflow_pb.js'

const known = new Map<string, OpDef | undefined>()

/** TensorFlow gives definitions by way of a graph; any will do, so one is kept. */
let anyGraph: Pointer = null

/**
 * What TensorFlow says of an operation: its inputs, attributes and whether it keeps state.
 *
 * @returns undefined if this TensorFlow has no such operation
 */
export function opDef (type: string): OpDef | undefined {
  if (!known.has(type)) known.set(type, lookUp(type))
  return known.get(type)
}

function lookUp (type: string): OpDef | undefined {
  const c = api()
  anyGraph ??= c.TF_NewGraph()
  try {
    const bytes = readBuffer(buffer => { checked(status => { c.TF_GraphGetOpDef(anyGraph, type, buffer, status) }) })
    return fromBinary(OpDefSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    if (error instanceof TensorFlowError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
