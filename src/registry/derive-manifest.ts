import type { TensorInfo } from '../tensorflow/index.ts'
import type { ImageContract, Manifest } from './manifest.ts'
import { defaultSignature, type Signatures } from './serving-signatures.ts'

/** Larger sides are no photos'. */
const MAX_SIDE = 8192

/**
 * What can be said of a SavedModel that brings no manifest: it classifies images if the default signature's only input is one image
 * tensor [N, H, W, 1 or 3] of uint8 or float32 and its only output is float32 [N, classes]; else it takes and gives plain tensors.
 */
export function deriveManifest (signatures: Signatures): Manifest {
  const name = defaultSignature(signatures)
  if (name === undefined) return { format: 1, task: 'tensor' }
  const { inputs = {}, outputs = {} } = signatures[name] ?? {}
  const [input, ...otherInputs] = Object.entries(inputs)
  const [output, ...otherOutputs] = Object.entries(outputs)
  const image = input === undefined || otherInputs.length > 0 ? undefined : imageContract(input[1])
  if (image === undefined || output === undefined || otherOutputs.length > 0 || !isClassScores(output[1])) {
    return { format: 1, task: 'tensor', signature: name }
  }
  return { format: 1, task: 'image-classification', signature: name, input: (input as [string, TensorInfo])[0], output: output[0], activation: 'none', image }
}

/** Photos are stretched to the input's size; floats are given as pixel ÷ 255. */
function imageContract ({ dtype, shape }: TensorInfo): ImageContract | undefined {
  if (shape?.length !== 4 || (dtype !== 'uint8' && dtype !== 'float32')) return undefined
  const [rows, height, width, channels] = shape as [number, number, number, number]
  const isSide = (side: number): boolean => side >= 1 && side <= MAX_SIDE
  if ((rows !== -1 && rows !== 1) || !isSide(height) || !isSide(width) || (channels !== 1 && channels !== 3)) return undefined
  const scaling: ImageContract['scaling'] = dtype === 'uint8' ? { where: 'graph' } : { where: 'host', mean: [0], deviation: [255] }
  return { width, height, channels, fit: 'fill', kernel: 'linear', scaling }
}

function isClassScores ({ dtype, shape }: TensorInfo): boolean {
  return dtype === 'float32' && (shape === undefined || shape.length === 2)
}
