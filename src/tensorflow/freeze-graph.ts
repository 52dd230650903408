import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { ofType } from './attribute-values.ts'
import { hasCustomOperations } from './custom-operations.ts'
import { dtypeCode, dtypeFromCode, isValueDType } from './dtype.ts'
import { foldBatchNorms } from './fold-batch-norms.ts'
import { calledFunctions, inSlices } from './graph-walk.ts'
import { takeApart, type GraphParts, type Part } from './graph-parts.ts'
import { CALLS, HandleFlow, LOOPS, PASSING, VARIABLES, type Scope } from './handle-flow.ts'
import { opDef } from './op-def.ts'
import { operationName } from './operation-name.ts'
import { rewriteScopes, type ShapeOf } from './graph-rewrite.ts'
import { keepSlopes } from './leaky-relu.ts'
import { useFusedLstm } from './lstm-loops.ts'
import { useOwnOperations } from './own-operations.ts'
import { padInConvolutions } from './pad-convolutions.ts'
import {
  FunctionDefLibrarySchema, FunctionDefSchema, GraphDefSchema, NodeDefSchema, OpDef_ArgDefSchema as ArgDefSchema, TensorShapeSchema,
  type AttrValue, type FunctionDef, type NodeDef
} from './proto/tensorflow_pb.js'
import { useRelu6 } from './relu6.ts'
import { changesState, holdsState } from './state.ts'

/** A graph that reads its variables as if they were constants; these have to be put in when it is imported. */
export interface FrozenGraphDef {
  /** GraphDef message, of what the asked tensors depend on. */
  readonly graphDef: Uint8Array
  /** Names of the variables that it takes, as `dense/kernel`: output 0 of each is to be their value. */
  readonly variables: readonly string[]
}

/** Why a graph's variables can not become constants. */
export class NotFreezableError extends Error {
  override readonly name = 'NotFreezableError'
}

/**
 * Rewrites a graph so that it takes its variables' values where it took their handles, through functions, conditions and loops: a function that is
 * given handles gets a copy that is given values. Where there are tensorport's own operations, they take the place of slower ones. Lets the event loop in every few milliseconds.
 *
 * @param tensorNames what is to be computed and fed, as `probabilities:0`; the rest is left out
 * @param shapeOf of the graph's tensors
 * @throws NotFreezableError if something keeps a state, or takes a handle in a way that is not known
 * @see tensorflow/python/framework/convert_to_constants.py
 */
export async function freezeGraphDef (graphDef: Uint8Array, tensorNames: readonly string[], shapeOf: ShapeOf): Promise<FrozenGraphDef> {
  const given = await takeApart(graphDef, tensorNames)
  const parts = await rewriteScopes(given, { tensorNames, shapeOf }, scope => {
    padInConvolutions(scope) // before filters are multiplied, while their shapes are known
    foldBatchNorms(scope)
    useRelu6(scope)
    keepSlopes(scope)
    useFusedLstm(scope, given.functions)
    if (hasCustomOperations()) useOwnOperations(scope)
  })
  refuseState(parts)
  const freezer = new Freezer(parts)
  return { graphDef: await freezer.graphDef(), variables: [...parts.nodes.values()].filter(isVariable).map(({ node }) => node.name) }
}

function refuseState ({ nodes, functions }: GraphParts): void {
  for (const part of nodes.values()) {
    if (isVariable(part)) refuseTypeOf(part.node)
    refuseStateOf(part.node, functions)
  }
  for (const [name, body] of functions) {
    for (const part of body.nodes.values()) {
      if (isVariable(part)) throw new NotFreezableError(`its function ${name} makes a variable, "${part.node.name}"`)
      refuseStateOf(part.node, functions)
    }
  }
}

function refuseStateOf ({ name, op }: NodeDef, functions: GraphParts['functions']): void {
  if (functions.has(op) || VARIABLES.has(op)) return
  if (changesState(op)) throw new NotFreezableError(`its operation "${name}" (${op}) changes a state`)
  if (holdsState(op)) throw new NotFreezableError(`its operation "${name}" (${op}) keeps a state`)
  if (!REFERENCES.has(op) && opDef(op)?.inputArg.some(({ isRef }) => isRef) === true) throw new NotFreezableError(`its operation "${name}" (${op}) refers to a variable`)
}

function refuseTypeOf ({ name, attr }: NodeDef): void {
  const code = attr['dtype']?.type ?? 0
  const dtype = dtypeFromCode(code)
  if (dtype === undefined || !isValueDType(dtype)) throw new NotFreezableError(`its variable "${name}" is of TensorFlow's type ${code}`)
}

function isVariable ({ node }: Part): boolean {
  return VARIABLES.has(node.op)
}

/** Operations of TensorFlow 1 on references, each with one on values whose name lacks the first three letters. */
const REFERENCES = new Set(['RefIdentity', 'RefSwitch', 'RefMerge', 'RefEnter', 'RefExit', 'RefNextIteration'])

/** TensorFlow's number of the type `resource`. */
const RESOURCE = dtypeCode('resource')

/** A function to be copied for the variables whose handles its arguments are. */
interface Copy {
  readonly from: string
  readonly to: string
  readonly dtypes: readonly (number | undefined)[]
}

class Freezer {
  readonly #parts: GraphParts
  readonly #flow: HandleFlow
  /** By function and the types that come in. */
  readonly #copies = new Map<string, Copy>()

  constructor (parts: GraphParts) {
    this.#parts = parts
    this.#flow = new HandleFlow(parts)
  }

  async graphDef (): Promise<Uint8Array> {
    const { message, nodes } = this.#parts
    message.node = await this.#rewriteAll({ nodes, variables: new Map() })
    const functions: Uint8Array[] = []
    for (const copy of this.#copies.values()) functions.push(await this.#copy(copy)) // grows while it is walked
    message.library = create(FunctionDefLibrarySchema, { function: functions })
    return toBinary(GraphDefSchema, message)
  }

  async #rewriteAll (scope: Scope): Promise<Uint8Array[]> {
    const rewritten: Uint8Array[] = []
    await inSlices([...scope.nodes.values()].filter(part => !isVariable(part)), part => { rewritten.push(this.#rewrite(scope, part)) })
    return rewritten
  }

  /** Nodes that need no change stay byte for byte what they are. */
  #rewrite (scope: Scope, { node: known, bytes }: Part): Uint8Array {
    const dtypes = known.input.filter(input => !input.startsWith('^')).map(input => this.#flow.dtype(scope, input))
    const inputs = known.input.filter(input => !isControlOfVariable(scope, input)).map(input => this.#renamed(scope, input))
    const isTaking = dtypes.some(dtype => dtype !== undefined)
    const isCalling = this.#parts.functions.has(known.op) || calledFunctions(known.attr).length > 0
    const isAsItWas = inputs.join('\n') === known.input.join('\n') && !('_class' in known.attr) && !REFERENCES.has(known.op)
    if (!isTaking && !isCalling && isAsItWas) return bytes
    const node = fromBinary(NodeDefSchema, bytes)
    node.input = inputs
    delete node.attr['_class'] // what it stands beside may be gone
    if (REFERENCES.has(node.op)) node.op = node.op.slice('Ref'.length)
    if (isTaking) this.#takeValues(scope, node, dtypes)
    this.#callCopies(node, dtypes.slice(CALLS[node.op]?.first ?? 0))
    return toBinary(NodeDefSchema, node)
  }

  /** A read's output is called `value` in functions, an identity's `output`. */
  #renamed (scope: Scope, input: string): string {
    const [name = '', place] = input.split(':')
    const read = place === 'value' ? scope.nodes.get(name)?.node : undefined
    return read?.op === 'ReadVariableOp' && this.#flow.dtype(scope, read.input[0]!) !== undefined ? `${name}:output:0` : input
  }

  #takeValues (scope: Scope, node: NodeDef, dtypes: readonly (number | undefined)[]): void {
    const dtype = dtypes[0]
    if (node.op in READS && dtype !== undefined) READS[node.op]!(node, dtype)
    else if (PASSING.has(node.op) && dtype !== undefined) passOn(node, dtype)
    else if (node.op in CALLS) this.#callWithValues(scope, node, dtypes)
    else if (!this.#parts.functions.has(node.op)) throw new NotFreezableError(`its operation "${node.name}" (${node.op}) takes a variable`)
  }

  #callWithValues (scope: Scope, node: NodeDef, dtypes: readonly (number | undefined)[]): void {
    const { first, inputTypes, outputTypes } = CALLS[node.op]!
    const takes = node.attr[inputTypes]?.list?.type ?? []
    dtypes.slice(first).forEach((dtype, index) => { takes[index] = dtype ?? takes[index]! })
    if (LOOPS.has(node.op)) { this.#keepInLoop(node, dtypes); return }
    const gives = node.attr[outputTypes]?.list?.type ?? []
    gives.forEach((type, index) => { if (type === RESOURCE) gives[index] = this.#flow.dtype(scope, `${node.name}:output:${index}`) ?? type })
  }

  /** What comes into a loop as a value has to come out of its body as that value; its shape is no longer a handle's. */
  #keepInLoop ({ name, attr }: NodeDef, dtypes: readonly (number | undefined)[]): void {
    const body = attr['body']?.func?.name ?? ''
    const shapes = attr['output_shapes']?.list?.shape ?? []
    dtypes.forEach((dtype, index) => {
      if (dtype === undefined) return
      if (this.#flow.returns(body, dtypes, index) !== dtype) throw new NotFreezableError(`its loop "${name}" turns one variable into another`)
      if (index < shapes.length) shapes[index] = create(TensorShapeSchema, { unknownRank: true })
    })
  }

  #callCopies (node: NodeDef, dtypes: readonly (number | undefined)[]): void {
    if (this.#parts.functions.has(node.op)) node.op = this.#nameOfCopy(node.op, dtypes)
    for (const { func, list } of Object.values(node.attr)) {
      for (const called of [...(func === undefined ? [] : [func]), ...(list?.func ?? [])]) called.name = this.#nameOfCopy(called.name, dtypes)
    }
  }

  #nameOfCopy (from: string, given: readonly (number | undefined)[]): string {
    const { functions } = this.#parts
    if (!functions.has(from)) return from
    const isSame = given.every(dtype => dtype === undefined)
    const dtypes = isSame ? [] : given
    const key = `${from}(${dtypes.join()})`
    const known = this.#copies.get(key)
    if (known !== undefined) return known.to
    const to = isSame ? from : this.#freeName(`${from}_frozen`)
    this.#copies.set(key, { from, to, dtypes })
    return to
  }

  #freeName (name: string): string {
    const taken = new Set([...this.#parts.functions.keys(), ...[...this.#copies.values()].map(({ to }) => to)])
    let free = name
    for (let count = 1; taken.has(free); count++) free = `${name}_${count}`
    return free
  }

  async #copy ({ from, to, dtypes }: Copy): Promise<Uint8Array> {
    const { bytes, definition: { ret } } = this.#parts.functions.get(from)!
    const definition = fromBinary(FunctionDefSchema, bytes)
    const scope = this.#flow.inside(from, dtypes)
    definition.nodeDef = await this.#rewriteAll(scope)
    definition.ret = Object.fromEntries(Object.entries(ret).map(([name, tensor]) => [name, this.#renamed(scope, tensor)]))
    delete definition.attr['api_implements'] // TensorFlow would put another function in its place, one that takes handles
    if (dtypes.length > 0) this.#retype(definition, from, to, dtypes)
    return toBinary(FunctionDefSchema, definition)
  }

  #retype (definition: FunctionDef, from: string, to: string, dtypes: readonly (number | undefined)[]): void {
    const signature = definition.signature!
    signature.name = to
    delete definition.attr['_input_shapes']
    dtypes.forEach((dtype, index) => {
      if (dtype === undefined) return
      signature.inputArg[index] = create(ArgDefSchema, { name: signature.inputArg[index]!.name, type: dtype })
      delete definition.argAttr[index]
      delete definition.resourceArgUniqueId[index]
    })
    signature.outputArg.forEach(({ name, type }, index) => {
      const dtype = type === RESOURCE ? this.#flow.returns(from, dtypes, index) : undefined
      if (dtype !== undefined) signature.outputArg[index] = create(ArgDefSchema, { name, type: dtype })
    })
  }
}

function isControlOfVariable (scope: Scope, input: string): boolean {
  const part = input.startsWith('^') ? scope.nodes.get(operationName(input)) : undefined
  return part !== undefined && isVariable(part)
}

/** Operations that read a variable by its handle, each as the one that takes its value. */
const READS: Readonly<Record<string, (node: NodeDef, dtype: number) => void>> = {
  ReadVariableOp: (node, dtype) => { become(node, 'Identity', { T: ofType(dtype) }) },
  VariableShape: (node, dtype) => { become(node, 'Shape', { T: ofType(dtype), out_type: node.attr['out_type'] }) },
  ResourceGatherNd: (node, dtype) => { become(node, 'GatherNd', { Tparams: ofType(dtype), Tindices: node.attr['Tindices'] }) },
  ResourceGather: (node, dtype) => {
    if ((node.attr['batch_dims']?.i ?? 0n) !== 0n) throw new NotFreezableError(`its operation "${node.name}" (ResourceGather) gathers by batches`)
    become(node, 'Gather', { Tparams: ofType(dtype), Tindices: node.attr['Tindices'] })
  }
}

function become (node: NodeDef, op: string, attributes: Record<string, AttrValue | undefined>): void {
  node.op = op
  node.attr = Object.fromEntries(Object.entries(attributes).filter((entry): entry is [string, AttrValue] => entry[1] !== undefined))
  delete node.$unknown // what is known of the handle's type
}

function passOn (node: NodeDef, dtype: number): void {
  node.attr['T'] = ofType(dtype)
  delete node.attr['_output_shapes']
}
