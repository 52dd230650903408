import { api } from './library.ts'
import type { CApiOutput, Pointer } from './c-api.ts'
import { checked } from './status.ts'
import { dtypeFromCode, type DType } from './dtype.ts'

/** A node of a graph. It lives as long as its graph. */
export class Operation {
  readonly name: string
  /** TensorFlow's operation, as `MatMul`. */
  readonly type: string
  readonly pointer: Pointer
  readonly graph: Pointer

  constructor (graph: Pointer, pointer: Pointer) {
    this.graph = graph
    this.pointer = pointer
    this.name = api().TF_OperationName(pointer)
    this.type = api().TF_OperationOpType(pointer)
  }

  get outputCount (): number {
    return api().TF_OperationNumOutputs(this.pointer)
  }

  /** What flows in, in order; lists are laid out flat. */
  inputs (): Output[] {
    const c = api()
    return Array.from({ length: c.TF_OperationNumInputs(this.pointer) }, (_, index) => {
      const { oper, index: from } = c.TF_OperationInput({ oper: this.pointer, index })
      return new Output(new Operation(this.graph, oper), from)
    })
  }

  /** @throws TensorFlowError if there is no bool attribute of this name */
  boolAttribute (name: string): boolean {
    const value = new Uint8Array(1)
    checked(status => { api().TF_OperationGetAttrBool(this.pointer, name, value, status) })
    return value[0] !== 0
  }

  /** @throws TensorFlowError if there is no type attribute of this name */
  typeAttribute (name: string): DType {
    const value = new Int32Array(1)
    checked(status => { api().TF_OperationGetAttrType(this.pointer, name, value, status) })
    const dtype = dtypeFromCode(value[0]!)
    if (dtype === undefined) throw new Error(`${this.name} has "${name}" of TensorFlow's type ${value[0]}, which is not supported`)
    return dtype
  }

  /** @throws TensorFlowError if there is no shape attribute of this name, or its rank is open */
  shapeAttribute (name: string): number[] {
    const rank = Number(checked(status => api().TF_OperationGetAttrMetadata(this.pointer, name, status)).total_size)
    const dims = new BigInt64Array(Math.max(rank, 0))
    checked(status => { api().TF_OperationGetAttrShape(this.pointer, name, dims, rank, status) })
    return Array.from(dims, Number)
  }

  /** @throws RangeError if the operation has fewer outputs: TensorFlow itself would crash */
  output (index = 0): Output {
    const count = this.outputCount
    if (!Number.isInteger(index) || index < 0 || index >= count) {
      throw new RangeError(`Expected an output of ${this.name} (${this.type}) from 0 to ${count - 1} but received ${index}`)
    }
    return new Output(this, index)
  }
}

/** One tensor that an operation gives. */
export class Output {
  readonly operation: Operation
  readonly index: number

  constructor (operation: Operation, index: number) {
    this.operation = operation
    this.index = index
  }

  /** As signatures name it: `probabilities:0`. */
  get name (): string {
    return `${this.operation.name}:${this.index}`
  }

  get c (): CApiOutput {
    return { oper: this.operation.pointer, index: this.index }
  }

  /** @throws Error for a type that no session takes or gives, as quantized ones */
  get dtype (): DType {
    const code = api().TF_OperationOutputType(this.c)
    const dtype = dtypeFromCode(code)
    if (dtype === undefined) throw new Error(`${this.name} has TensorFlow's type ${code}, which is not supported`)
    return dtype
  }

  /** As far as the graph knows it, −1 for a free dimension. @returns undefined if even the rank is open */
  get shape (): number[] | undefined {
    const c = api()
    const { graph } = this.operation
    const rank = checked(status => c.TF_GraphGetTensorNumDims(graph, this.c, status))
    if (rank < 0) return undefined
    const dims = new BigInt64Array(rank)
    checked(status => { c.TF_GraphGetTensorShape(graph, this.c, dims, rank, status) })
    return Array.from(dims, Number)
  }

  /** Operations that take this tensor, as the graph is now. */
  consumers (): Operation[] {
    const c = api()
    const found = outputArray(Array.from({ length: c.TF_OperationOutputNumConsumers(this.c) }, () => undefined))
    c.TF_OperationOutputConsumers(this.c, found, found.length / OUTPUT_BYTES)
    return readOutputArray(found, this.operation.graph).map(consumer => consumer!.operation)
  }
}

/** Addresses of the operations that these tensors are computed from, their own included. */
export function ancestors (outputs: readonly Output[]): Set<Pointer> {
  const found = new Set<Pointer>()
  const waiting = outputs.map(({ operation }) => operation.pointer)
  for (let pointer = waiting.pop(); pointer !== undefined; pointer = waiting.pop()) {
    if (found.has(pointer)) continue
    found.add(pointer)
    const count = api().TF_OperationNumInputs(pointer)
    for (let index = 0; index < count; index++) waiting.push(api().TF_OperationInput({ oper: pointer, index }).oper)
  }
  return found
}

const OUTPUT_BYTES = 16

/** C's array of TF_Output. `undefined` stands for no output. */
export function outputArray (outputs: readonly (Output | undefined)[]): Uint8Array {
  const bytes = new Uint8Array(outputs.length * OUTPUT_BYTES)
  const view = new DataView(bytes.buffer)
  outputs.forEach((output, index) => {
    view.setBigUint64(index * OUTPUT_BYTES, output?.operation.pointer ?? 0n, true)
    view.setInt32(index * OUTPUT_BYTES + 8, output?.index ?? 0, true)
  })
  return bytes
}

/** Reads C's array of TF_Output. */
export function readOutputArray (bytes: Uint8Array, graph: Pointer): (Output | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return Array.from({ length: bytes.byteLength / OUTPUT_BYTES }, (_, index) => {
    const pointer = view.getBigUint64(index * OUTPUT_BYTES, true)
    return pointer === 0n ? undefined : new Output(new Operation(graph, pointer), view.getInt32(index * OUTPUT_BYTES + 8, true))
  })
}
