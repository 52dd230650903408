import { FLOAT32, INT32, INT64, ofBoolean, ofFloat, ofInteger, ofType } from './attribute-values.ts'
import type { FunctionParts } from './graph-parts.ts'
import type { GraphRewrite } from './graph-rewrite.ts'
import { LOOPS } from './handle-flow.ts'
import { boundsOf, lstmStep, type Bound, type LoopWeights, type LstmStep } from './lstm-step.ts'
import type { AttrValue, NodeDef } from './proto/tensorflow_pb.js'

/**
 * Puts TensorFlow's operation for all steps of an LSTM in the place of a loop that does one after another, as Keras writes it: there a step is a dozen operations on a few
 * numbers. A loop that does anything else besides stays, as one under a mask does.
 *
 * @param functions by name: bodies and conditions of loops
 */
export function useFusedLstm (scope: GraphRewrite, functions: ReadonlyMap<string, FunctionParts>): void {
  for (const node of scope.nodes) {
    const loop = LOOPS.has(node.op) ? lstmLoop(scope, scope.current(node), functions) : undefined // it may begin with the state of another
    if (loop !== undefined) replaceLoop(scope, loop)
  }
}

/** A loop over a whole sequence whose steps are those of an LSTM. */
interface LstmLoop extends LstmStep, Results {
  readonly node: NodeDef
  /** float32 [steps, rows, inputs] */
  readonly sequence: string
}

/** Who takes what of a loop. */
interface Results {
  /** The outputs of all steps, or of the last one, out of their list. */
  readonly stacks: readonly NodeDef[]
  /** The state after the last step. */
  readonly states: readonly { readonly state: 'h' | 'c', readonly user: NodeDef, readonly index: number }[]
}

function lstmLoop (scope: GraphRewrite, node: NodeDef, functions: ReadonlyMap<string, FunctionParts>): LstmLoop | undefined {
  const [body, condition] = ['body', 'cond'].map(name => functions.get(node.attr[name]?.func?.name ?? ''))
  const step = body && lstmStep(body)
  if (step === undefined || condition === undefined || node.input.some(input => input.startsWith('^'))) return undefined
  const sequence = sequenceOf(scope, node.input[step.inputs])
  const bounds = boundsOf(condition, step.counters) ?? []
  const startsAtFirst = step.counters.every(place => scope.integers(node.input[place])?.join() === '0')
  if (sequence === undefined || bounds.length === 0 || !startsAtFirst || !bounds.every(bound => isLength(scope, bound, node, sequence))) return undefined
  const results = resultsOf(scope, node, step)
  return results && { ...step, ...results, node, sequence }
}

/** What a list was made of. */
function sequenceOf (scope: GraphRewrite, list: string | undefined): string | undefined {
  const node = scope.maker(list)
  return node?.op === 'TensorListFromTensor' && node.attr['element_dtype']?.type === FLOAT32 ? node.input[0] : undefined
}

function isLength (scope: GraphRewrite, bound: Bound, { input }: NodeDef, sequence: string): boolean {
  return 'value' in bound ? bound.value === scope.shape(sequence)?.[0] : isLengthOf(scope, input[bound.place]!, sequence)
}

/** Whether a scalar says how many steps a sequence has. */
function isLengthOf (scope: GraphRewrite, scalar: string, sequence: string): boolean {
  const given = scope.integers(scalar)
  if (given !== undefined) return given.length === 1 && given[0] === scope.shape(sequence)?.[0]
  const node = scope.maker(scalar)
  if (node?.op === 'Identity' || node?.op === 'Max') return isLengthOf(scope, node.input[0]!, sequence) // the largest of one
  const shape = node && isFirstOf(scope, node) ? scope.maker(node.input[0]) : undefined
  return shape?.op === 'Shape' && [sequence, reversed(scope, sequence)].includes(shape.input[0])
}

/** Whether an operation gives the first number of a vector. */
function isFirstOf (scope: GraphRewrite, { op, attr, input: [, ...places] }: NodeDef): boolean {
  return op === 'StridedSlice' && Number(attr['shrink_axis_mask']?.i) === 1 && places.slice(0, 3).map(place => scope.integers(place)?.join()).join(' ') === '0 1 1'
}

/** What a tensor is the reverse of. */
function reversed (scope: GraphRewrite, tensor: string): string | undefined {
  const node = scope.maker(tensor)
  return node?.op === 'ReverseV2' ? node.input[0] : undefined
}

/** @returns undefined if something else of it is used, or given by the function that it is in */
function resultsOf (scope: GraphRewrite, node: NodeDef, { outputs, h, c }: LstmStep): Results | undefined {
  const stacks: NodeDef[] = []
  const states: Results['states'][number][] = []
  const used = scope.tensorsUsed(node)
  for (const tensor of new Set(used)) {
    const users = scope.nodes.flatMap(user => user.input.flatMap((input, index) => input === tensor ? [{ user, index }] : []))
    if (users.length !== used.filter(other => other === tensor).length) return undefined
    const place = Number(tensor.split(':').slice(1).at(-1) ?? 0)
    if (place === outputs && users.every(({ user: { op } }) => op === 'TensorListStack')) stacks.push(...users.map(({ user }) => user))
    else if (place === h || place === c) states.push(...users.map(({ user, index }) => ({ state: place === h ? 'h' as const : 'c' as const, user, index })))
    else return undefined
  }
  return { stacks, states }
}

const FLOATS = { T: ofType(FLOAT32) }

function replaceLoop (scope: GraphRewrite, loop: LstmLoop): void {
  const { node, stacks, states, keepsAll } = loop
  const lstm = addLstm(scope, loop)
  const all = { h: scope.output(lstm, 'h'), c: scope.output(lstm, 'cs') }
  for (const stack of stacks) {
    if (keepsAll) scope.replace(stack, 'Identity', [all.h], FLOATS)
    else scope.replace(stack, 'StridedSlice', [withFirst(scope, loop, all.h), ...lastOf(scope, node.name)], sliced({}))
  }
  for (const { state, user, index } of states) {
    scope.reconnect(user, index, scope.add(`${node.name}/last_${state}`, 'StridedSlice', [withFirst(scope, loop, all[state], state), ...lastOf(scope, node.name)], sliced({ shrink_axis_mask: 1 })))
  }
  scope.replace(node, 'NoOp', [], {})
}

/** @returns the first output */
function addLstm (scope: GraphRewrite, { node: { name, input }, sequence, kernel, recurrent, bias, h, c }: LstmLoop): string {
  const constant = (what: string, value: number | number[]): string => scope.addConstant(`${name}/${what}`, INT32, value)
  const valueOf = ({ place, isHandle }: LoopWeights): string => isHandle ? scope.add(`${name}/read`, 'ReadVariableOp', [input[place]!], { dtype: ofType(FLOAT32) }) : input[place]!
  const own = valueOf(recurrent)
  const weights = scope.add(`${name}/weights`, 'ConcatV2', [valueOf(kernel), own, constant('axis', 0)], { ...FLOATS, N: ofInteger(2), Tidx: ofType(INT32) })
  const shape = scope.add(`${name}/shape`, 'Shape', [sequence], { ...FLOATS, out_type: ofType(INT64) })
  const steps = scope.add(`${name}/steps`, 'StridedSlice', [shape, constant('from', [0]), constant('to', [1]), constant('by', [1])], { ...sliced({ shrink_axis_mask: 1, end_mask: 0 }), T: ofType(INT64) })
  // One number for each unit, to peepholes that are not used.
  const units = scope.add(`${name}/units`, 'StridedSlice', [own, constant('from', [0, 0]), constant('to', [0, 1]), constant('by', [1, 1])], sliced({ begin_mask: 1, shrink_axis_mask: 2 }))
  const none = scope.add(`${name}/none`, 'ZerosLike', [units], FLOATS)
  return scope.add(`${name}/lstm`, 'BlockLSTMV2', [steps, sequence, input[c]!, input[h]!, weights, none, none, none, valueOf(bias)], { ...FLOATS, cell_clip: ofFloat(0), use_peephole: ofBoolean(false) })
}

/** With what was there before the first step, where there may be none. */
function withFirst (scope: GraphRewrite, { node: { name, input }, sequence, ...loop }: LstmLoop, all: string, state: 'h' | 'c' = 'h'): string {
  if ((scope.shape(sequence)?.[0] ?? 0) > 0) return all
  const first = scope.add(`${name}/first`, 'ExpandDims', [input[loop[state]]!, scope.addConstant(`${name}/axis`, INT32, 0)], { ...FLOATS, Tdim: ofType(INT32) })
  return scope.add(`${name}/with_first`, 'ConcatV2', [first, all, scope.addConstant(`${name}/axis`, INT32, 0)], { ...FLOATS, N: ofInteger(2), Tidx: ofType(INT32) })
}

/** Begin, end and stride of a slice: from the last one on. */
function lastOf (scope: GraphRewrite, name: string): string[] {
  return [-1, 0, 1].map(value => scope.addConstant(`${name}/last`, INT32, [value]))
}

function sliced (masks: Readonly<Record<string, number>>): Record<string, AttrValue> {
  const all = { begin_mask: 0, end_mask: 1, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0, ...masks }
  return { ...FLOATS, Index: ofType(INT32), ...Object.fromEntries(Object.entries(all).map(([name, mask]) => [name, ofInteger(mask)])) }
}
