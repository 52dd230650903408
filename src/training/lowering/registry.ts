import { activationLayers } from './activation.ts'
import { convolutionLayers } from './convolution.ts'
import { volumeConvolutionLayers } from './convolution-3d.ts'
import { denseLayers } from './dense.ts'
import { dropoutLayers } from './dropout.ts'
import { embeddingLayers } from './embedding.ts'
import type { Lower, Lowering } from './layer-call.ts'
import { mergeLayers } from './merge.ts'
import { normalizationLayers } from './normalization.ts'
import { poolingLayers } from './pooling.ts'
import { preprocessingLayers } from './preprocessing.ts'
import { recurrentLayers } from './recurrent/recurrent-layers.ts'
import { reshapingLayers } from './reshaping.ts'
import { wrapperLayers } from './wrappers.ts'

const lowerings = new Map<string, Lowering>(Object.entries({
  ...activationLayers,
  ...convolutionLayers,
  ...denseLayers,
  ...dropoutLayers,
  ...embeddingLayers,
  ...mergeLayers,
  ...normalizationLayers,
  ...poolingLayers,
  ...preprocessingLayers,
  ...recurrentLayers,
  ...reshapingLayers,
  ...volumeConvolutionLayers,
  ...wrapperLayers
}))

/**
 * Teaches tensorport a layer: a class of your own, or another way for one that is known.
 *
 * @param className the class's static `className`
 */
export function registerLowering (className: string, lower: Lower, options: Omit<Lowering, 'lower'> = {}): void {
  lowerings.set(className, { lower, ...options })
}

export function findLowering (className: string): Lowering | undefined {
  return lowerings.get(className)
}

/** Class names, in alphabetical order. */
export function loweredLayers (): string[] {
  return [...lowerings.keys()].sort()
}
