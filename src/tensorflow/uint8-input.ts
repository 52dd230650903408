import { fromBinary, toBinary } from '@bufbuild/protobuf'
import type { DType } from './dtype.ts'
import { floats, type Graph } from './graph.ts'
import { reached, takeApart, type Part } from './graph-parts.ts'
import { inSlices } from './graph-walk.ts'
import type { FrozenModel } from './freeze.ts'
import type { LoadedSavedModel } from './load-saved-model.ts'
import type { Output } from './operation.ts'
import { GraphDefSchema, NodeDefSchema, type GraphDef } from './proto/tensorflow_pb.js'
import type { Signature } from './saved-model.ts'
import { holdsState } from './state.ts'

/** How a signature's floats come from pixels: (pixel − mean) ÷ deviation. */
export interface PixelScaling {
  readonly signature: string
  /** Its input of floats [..., C]. */
  readonly input: string
  /** One number, or one for each channel, on the scale of pixels, 0–255. */
  readonly mean: readonly number[]
  readonly deviation: readonly number[]
}

const FLOATS = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16'])

/**
 * Lets a signature take pixels where it took floats, a quarter of the bytes: the scaling is added to the graph, and what the signature computes is
 * there again behind it, with the same variables, tables and constants.
 *
 * @returns the model with this signature changed; it shares graph and session with the one given, so that disposing of one disposes of both
 * @throws TypeError for a signature or an input that is not there or takes no floats
 * @throws RangeError if the numbers are neither one nor one for each channel
 */
export async function withUint8Input<Model extends LoadedSavedModel | FrozenModel> (model: Model, scaling: PixelScaling): Promise<Model> {
  const signature = signatureOf(model, scaling)
  const { graph } = model
  const given = signature.inputs[scaling.input]!
  const before = graph.output(given.tensorName)!
  const pixels = graph.placeholder('uint8', before.shape ?? null, 'pixels')
  const replaced = { ...sameInputs(graph, signature), [given.tensorName]: scaled(graph, pixels, before, scaling) }
  const again = await importAgain(graph, await model.graphDef(), signature, replaced, `${pixels.operation.name}_scaled`)
  const changed: Signature = {
    ...signature,
    inputs: { ...signature.inputs, [scaling.input]: { ...given, tensorName: pixels.name } },
    outputs: Object.fromEntries(Object.entries(signature.outputs).map(([name, info]) => [name, { ...info, tensorName: again(info.tensorName) }]))
  }
  return model.withSignatures({ ...model.signatures, [scaling.signature]: changed }) as Model
}

function signatureOf ({ signatures, directory }: LoadedSavedModel | FrozenModel, { signature: name, input }: PixelScaling): Signature {
  const signature = signatures[name]
  if (signature === undefined) throw new TypeError(`There is no signature "${name}" in ${directory}`)
  const info = signature.inputs[input]
  if (info === undefined) throw new TypeError(`There is no "${input}" among: ${Object.keys(signature.inputs).join(', ')}`)
  if (!FLOATS.has(info.dtype)) throw new TypeError(`Expected floats for "${input}" but it takes ${info.dtype}`)
  return signature
}

/** The inputs that stay. */
function sameInputs (graph: Graph, { inputs }: Signature): Record<string, Output> {
  return Object.fromEntries(Object.values(inputs).map(({ tensorName }) => [tensorName, graph.output(tensorName)!]))
}

function scaled (graph: Graph, pixels: Output, { dtype, shape }: Output, { mean, deviation }: PixelScaling): Output {
  const numbers = (values: readonly number[]): Output => {
    if (values.length !== 1 && values.length !== shape?.at(-1)) throw new RangeError(`Expected one number or one for each channel but received ${values.length}`)
    return graph.constant(floats(values.length === 1 ? [] : [values.length], values))
  }
  const whole = graph.apply('Cast', [pixels], { DstT: 'float32' })
  const centred = graph.apply('Sub', [whole, numbers(mean)])
  const ended = graph.apply('Mul', [centred, numbers(deviation.map(value => 1 / value))])
  return dtype === 'float32' ? ended : graph.apply('Cast', [ended], { DstT: dtype })
}

/** Imports what a signature computes once more. @returns where a tensor of it is now */
async function importAgain (graph: Graph, graphDef: Uint8Array, signature: Signature, replaced: Readonly<Record<string, Output>>, prefix: string): Promise<(tensorName: string) => string> {
  const outputs = Object.values(signature.outputs).map(({ tensorName }) => tensorName)
  const { message, nodes } = await takeApart(graphDef, outputs)
  const inputMap = { ...await sharedTensors(graph, nodes), ...replaced }
  const kept = reached(nodes, outputs.filter(name => !(name in inputMap)), input => (input.includes(':') ? input : `${input}:0`) in inputMap)
  await graph.importGraphDefOffLoop(await withNodes(message, kept), { prefix, inputMap })
  return name => inputMap[name]?.name ?? `${prefix}/${name}`
}

/** What is not to be there twice: constants, but for those that belong to a loop, and what outlives a run. A frozen model's variables are constants that its message does not have. */
async function sharedTensors (graph: Graph, nodes: ReadonlyMap<string, Part>): Promise<Record<string, Output>> {
  const tensors: Record<string, Output> = {}
  const add = (name: string): void => {
    const operation = graph.operation(name)!
    for (let index = 0; index < operation.outputCount; index++) tensors[`${name}:${index}`] = operation.output(index)
  }
  await inSlices([...nodes.values()], ({ node }) => {
    if ((node.op === 'Const' && node.input.length === 0) || holdsState(node.op)) add(node.name)
    for (const input of node.input) {
      const [name = ''] = input.split(':')
      if (!name.startsWith('^') && !nodes.has(name)) add(name)
    }
  })
  return tensors
}

/** The functions are in the graph already. */
async function withNodes (message: GraphDef, nodes: ReadonlyMap<string, Part>): Promise<Uint8Array> {
  message.node = []
  await inSlices([...nodes.values()], part => { message.node.push(withoutPlace(part)) })
  delete message.library
  return toBinary(GraphDefSchema, message)
}

/** What an operation is to stand beside may not be imported. */
function withoutPlace ({ node, bytes }: Part): Uint8Array {
  if (!('_class' in node.attr)) return bytes
  const whole = fromBinary(NodeDefSchema, bytes)
  delete whole.attr['_class']
  return toBinary(NodeDefSchema, whole)
}
