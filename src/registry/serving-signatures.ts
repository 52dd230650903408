import type { Output, Signature, TensorInfo, TensorValue } from '../tensorflow/index.ts'
import { fits, formatShape } from './shapes.ts'

export type Signatures = Readonly<Record<string, Signature>>

/** Signatures as they are served, and what was found wrong with how the file declares them. */
export interface ServingSignatures {
  readonly signatures: Signatures
  readonly notes: readonly string[]
}

/** Knows the tensors of the loaded graph, as `Graph.output` does. */
export interface GraphShapes {
  output (tensorName: string): Pick<Output, 'shape'> | undefined
}

/** Those of a SavedModel that are its makers' to call: names that begin with `__` are TensorFlow's own. */
export function isHidden (signatureName: string): boolean {
  return signatureName.startsWith('__')
}

/** The signature that is meant when none is named. @returns undefined if there are several and none is `serving_default` */
export function defaultSignature (signatures: Signatures): string | undefined {
  if (Object.hasOwn(signatures, 'serving_default')) return 'serving_default'
  const names = Object.keys(signatures)
  return names.length === 1 ? names[0] : undefined
}

/** The visible signatures, copied, with the graph's shape where the declared one is open or contradicts it. */
export function servingSignatures (declared: Signatures, graph: GraphShapes): ServingSignatures {
  const notes: string[] = []
  const visible = Object.entries(declared).filter(([name]) => !isHidden(name))
  const signatures = Object.fromEntries(visible.map(([name, signature]) => {
    const side = (tensors: Record<string, TensorInfo>): Record<string, TensorInfo> => Object.fromEntries(
      Object.entries(tensors).map(([key, info]) => [key, withGraphShape(info, `"${key}" of signature "${name}"`, graph, notes)]))
    return [name, { ...signature, inputs: side(signature.inputs), outputs: side(signature.outputs) }]
  }))
  return { signatures, notes }
}

function withGraphShape (info: TensorInfo, what: string, graph: GraphShapes, notes: string[]): TensorInfo {
  const shape = graph.output(info.tensorName)?.shape
  if (shape === undefined) return { ...info }
  if (info.shape === undefined) return { ...info, shape }
  if (fits(shape, info.shape)) return { ...info }
  notes.push(`${what} is declared as ${formatShape(info.shape)}, its graph has ${formatShape(shape)}`)
  return { ...info, shape }
}

/**
 * Opens the dimensions of a signature's outputs that a run gave otherwise than declared.
 *
 * @returns what was found wrong
 */
export function correctOutputs (signature: Signature, outputs: Readonly<Record<string, TensorValue>>): string[] {
  const notes: string[] = []
  for (const [name, { shape }] of Object.entries(outputs)) {
    const info = signature.outputs[name]
    if (info?.shape === undefined || fits(shape, info.shape)) continue
    notes.push(`"${name}" of signature "${signature.name}" is declared as ${formatShape(info.shape)}, a run gave ${formatShape(shape)}`)
    info.shape = info.shape.length === shape.length ? info.shape.map((side, axis) => side === shape[axis] ? side : -1) : undefined
  }
  return notes
}
