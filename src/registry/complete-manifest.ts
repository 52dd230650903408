import { BadManifestError } from '../errors.ts'
import type { DType, Signature, TensorInfo } from '../tensorflow/index.ts'
import type { Manifest } from './manifest.ts'
import { defaultSignature, type Signatures } from './serving-signatures.ts'
import { fits, formatShape } from './shapes.ts'

const FLOAT_TYPES: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16']
const TOKEN_TYPES: readonly DType[] = ['int32', 'int64']

/**
 * Checks a manifest against the signatures of its SavedModel and writes out what it leaves open: signature, image input, output to
 * rank, activation.
 *
 * @param path the manifest's, for the error
 * @throws BadManifestError naming the first thing that does not agree, with what would
 */
export function completeManifest (path: string, manifest: Manifest, signatures: Signatures): Manifest {
  const refuse = (problem: string): never => { throw new BadManifestError(path, problem) }
  const name = manifest.signature ?? defaultSignature(signatures)
  const known = Object.keys(signatures).join(', ') || 'none'
  if (name === undefined) return manifest.task === 'tensor' ? manifest : refuse(`has to name a signature, the SavedModel has: ${known}`)
  const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined
  if (signature === undefined) return refuse(`names signature "${name}", the SavedModel has: ${known}`)
  const named = { ...manifest, signature: name }
  if (manifest.task === 'tensor') return checkTensors(named, signature, refuse)
  const completed = { ...named, ...rankedOutput(named, signature, refuse) }
  return manifest.task === 'image-classification' ? completeImage(completed, signature, refuse) : completeText(completed, signature, refuse)
}

/**
 * Checks the number of labels against the classes that the output has.
 *
 * @param classes size of the output's last dimension; −1 and undefined where it is open
 * @throws BadManifestError with both numbers
 */
export function checkLabels (path: string, { labels, output }: Manifest, classes: number | undefined): void {
  if (labels === undefined || classes === undefined || classes === -1) return
  const expected = classes === 1 ? 2 : classes // one number is the probability of class 1
  if (labels.length !== expected) throw new BadManifestError(path, `has ${labels.length} labels, output "${output ?? ''}" gives ${classes === 1 ? 'one number, which stands for 2 classes' : `${classes} classes`}`)
}

type Refuse = (problem: string) => never

function checkTensors (manifest: Manifest, { inputs, outputs }: Signature, refuse: Refuse): Manifest {
  if (manifest.input !== undefined && !Object.hasOwn(inputs, manifest.input)) refuse(`names input "${manifest.input}", the signature has: ${listed(inputs)}`)
  if (manifest.output !== undefined && !Object.hasOwn(outputs, manifest.output)) refuse(`names output "${manifest.output}", the signature has: ${listed(outputs)}`)
  return manifest
}

function rankedOutput (manifest: Manifest, { outputs }: Signature, refuse: Refuse): Required<Pick<Manifest, 'output' | 'activation'>> {
  const output = only('output', manifest.output, outputs, refuse)
  const { dtype } = outputs[output] as TensorInfo
  if (!FLOAT_TYPES.includes(dtype)) refuse(`names output "${output}" of type ${dtype}, scores are floats`)
  return { output, activation: manifest.activation ?? 'none' }
}

function completeImage (manifest: Manifest, { inputs }: Signature, refuse: Refuse): Manifest {
  const { image } = manifest
  if (image === undefined) return refuse('has to say under "image" how a photo becomes the input')
  const input = only('input', manifest.input, inputs, refuse)
  const others = Object.keys(inputs).filter(name => name !== input)
  if (others.length > 0) refuse(`is for images, and the signature has more inputs than "${input}": ${others.join(', ')}`)
  const { dtype, shape } = inputs[input] as TensorInfo
  const wanted = [-1, image.height, image.width, image.channels]
  if (!fits(shape, wanted)) refuse(`gives images of ${formatShape(wanted)}, input "${input}" takes ${formatShape(shape)}`)
  if (image.scaling.where === 'graph' && dtype !== 'uint8') refuse(`scales in the graph, which takes uint8; input "${input}" is ${dtype}: scale on the host (mean 0, deviation 1 gives floats 0–255)`)
  if (image.scaling.where === 'host' && !FLOAT_TYPES.includes(dtype)) refuse(`scales on the host, which gives floats; input "${input}" is ${dtype}`)
  if (image.scaling.where === 'host') checkScaling(image.scaling, image.channels, refuse)
  return { ...manifest, input }
}

function checkScaling (scaling: { mean: number[], deviation: number[] }, channels: number, refuse: Refuse): void {
  for (const key of ['mean', 'deviation'] as const) {
    const { length } = scaling[key]
    if (length !== 1 && length !== channels) refuse(`has ${length} numbers under /image/scaling/${key}, allowed are 1 or ${channels}`)
  }
}

function completeText (manifest: Manifest, { inputs }: Signature, refuse: Refuse): Manifest {
  const { text } = manifest
  if (text === undefined) return refuse('has to say under "text" how a text becomes token numbers')
  const given = Object.values(text.inputs)
  for (const name of given) {
    const info = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    if (info === undefined) return refuse(`names text input "${name}", the signature has: ${listed(inputs)}`)
    if (!TOKEN_TYPES.includes(info.dtype)) refuse(`gives token numbers to "${name}", which takes ${info.dtype}`)
    if (!fits(info.shape, [-1, text.length])) refuse(`gives tokens of ${formatShape([-1, text.length])}, input "${name}" takes ${formatShape(info.shape)}`)
    if (text.padTo === 'longest' && (info.shape?.[1] ?? -1) !== -1) refuse(`pads to the longest text, input "${name}" takes exactly ${formatShape(info.shape)}`)
  }
  const missing = Object.keys(inputs).filter(name => !given.includes(name))
  return missing.length > 0 ? refuse(`leaves out the signature's input ${missing.join(', ')} under /text/inputs`) : manifest
}

function only (side: 'input' | 'output', named: string | undefined, tensors: Readonly<Record<string, TensorInfo>>, refuse: Refuse): string {
  const names = Object.keys(tensors)
  if (named !== undefined) return Object.hasOwn(tensors, named) ? named : refuse(`names ${side} "${named}", the signature has: ${listed(tensors)}`)
  if (names.length !== 1) return refuse(`has to name an ${side}, the signature has: ${listed(tensors)}`)
  return names[0] as string
}

function listed (tensors: Readonly<Record<string, TensorInfo>>): string {
  return Object.keys(tensors).join(', ') || 'none'
}
