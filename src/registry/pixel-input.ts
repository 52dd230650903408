import { withUint8Input, type RunnableModel, type Signature } from '../tensorflow/index.ts'
import type { Engine } from './make-engine.ts'
import type { Manifest } from './manifest.ts'

/** The name of the signature that takes pixels, beside the one that its makers gave. */
export const PIXELS_SIGNATURE = '__pixels'

/** A signature that takes pixels where the model wants floats, and what runs it. */
export interface PixelInput {
  /** As the manifest's, but that its image input is uint8. */
  readonly signature: Signature
  readonly run: RunnableModel['run']
}

/**
 * Adds the manifest's scaling to the graph, where it says that the host does it: photos then go to TensorFlow as bytes.
 *
 * @returns undefined where the model takes bytes already, or is for no images
 */
export async function addPixelInput ({ kind, model }: Engine, { image, signature: name, input }: Manifest): Promise<PixelInput | undefined> {
  if (image === undefined || image.scaling.where !== 'host' || name === undefined || input === undefined) return undefined
  const { mean, deviation } = image.scaling
  const scaling = { signature: name, input, mean, deviation }
  const pixels = kind === 'frozen' ? await withUint8Input(model, scaling) : await withUint8Input(model, scaling)
  return {
    signature: { ...pixels.signatures[name]!, name: PIXELS_SIGNATURE },
    run: async (_signature, inputs, outputs) => await pixels.run(name, inputs, outputs)
  }
}
