import { CannotImportError } from '../../errors.ts'
import type { GraphNode } from './graph-model.ts'
import { isObject } from './json.ts'

/** What an operation of TensorFlow.js's converter begins with. TensorFlow has the first and the last itself, for its optimizer alone. */
const FUSED: Readonly<Record<string, string>> = {
  _FusedConv2D: 'Conv2D',
  FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
  _FusedMatMul: 'MatMul'
}

const ACTIVATIONS = new Set(['Relu', 'Relu6', 'Elu', 'LeakyRelu', 'Sigmoid', 'Tanh'])

/**
 * Takes an operation that is several in one apart: the last part has its name. Pure.
 *
 * @throws CannotImportError for a part that is not known
 * @see tfjs-converter/python/tensorflowjs/converters/fuse_depthwise_conv2d.py, fuse_prelu.py
 */
export function expandFused (path: string, node: GraphNode): GraphNode[] {
  if (node.op === 'Prelu') return expandPrelu(node.name, node.input[0]!, node.input[1]!)
  const first = FUSED[node.op]
  if (first === undefined) return [node]
  const [x, weights, ...others] = node.input
  const parts = fusedParts(node)
  const nodes: GraphNode[] = [{ name: `${node.name}/${first}`, op: first, input: [x!, weights!, ...others.filter(source => source.startsWith('^'))], attr: node.attr }]
  const extra = others.filter(source => !source.startsWith('^'))
  for (const part of parts) {
    const before = nodes.at(-1)!.name
    if (part === 'BiasAdd') nodes.push({ name: `${node.name}/BiasAdd`, op: 'BiasAdd', input: [before, extra.shift()!], attr: only(node, 'data_format') })
    else if (part === 'Prelu') nodes.push(...expandPrelu(`${node.name}/Prelu`, before, extra.shift()!))
    else if (ACTIVATIONS.has(part)) nodes.push({ name: `${node.name}/${part}`, op: part, input: [before], attr: part === 'LeakyRelu' && node.attr['leakyrelu_alpha'] !== undefined ? { alpha: node.attr['leakyrelu_alpha'] } : {} })
    else throw new CannotImportError(`${path}: node "${node.name}" of type ${node.op}`, `its part ${part} is not known`)
  }
  return [...nodes, { name: node.name, op: 'Identity', input: [nodes.at(-1)!.name], attr: {} }]
}

function fusedParts ({ attr }: GraphNode): string[] {
  const list = attr['fused_ops']?.['list']
  const texts = isObject(list) && Array.isArray(list['s']) ? list['s'] as string[] : []
  return texts.map(text => Buffer.from(text, 'base64').toString())
}

function only ({ attr }: GraphNode, name: string): GraphNode['attr'] {
  return attr[name] === undefined ? {} : { [name]: attr[name] }
}

/** max(x, 0) − alpha · max(−x, 0) */
function expandPrelu (name: string, x: string, alpha: string): GraphNode[] {
  const node = (part: string, op: string, input: string[]): GraphNode => ({ name: part === '' ? name : `${name}/${part}`, op, input, attr: {} })
  return [
    node('positive', 'Relu', [x]),
    node('turned', 'Neg', [x]),
    node('negative', 'Relu', [`${name}/turned`]),
    node('scaled', 'Mul', [alpha, `${name}/negative`]),
    node('', 'Sub', [`${name}/positive`, `${name}/scaled`])
  ]
}
