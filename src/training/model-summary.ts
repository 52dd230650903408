import type tf from '@tensorflow/tfjs'
import { built } from './model-inputs.ts'

const HEADINGS = ['Layer', 'Output shape', 'Parameters', 'Comes from'] as const
const GAP = '  '

/**
 * A model as Keras's `summary()` shows it: a line for each layer with the shape of what it gives and its number of weights, then the totals. A
 * model inside the model is one line. What a layer comes from is told only where that is not the layer above.
 *
 * @returns lines
 */
export function modelSummary (model: tf.LayersModel): string[] {
  const { layers, name } = built(model)
  const rows = layers.map((layer, index) => [
    `${layer.name} (${layer.getClassName()})`,
    shapesOf(layer).map(shape => `[${shape.map(side => side ?? 'rows').join(', ')}]`).join(' '),
    grouped(layer.countParams()),
    sourcesOf(layer, layers[index - 1])
  ])
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...rows.map(row => row[column]!.length)))
  const line = (cells: readonly string[]): string => cells.map((cell, column) => column === 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)).join(GAP).trimEnd()
  const trainable = countWeights(model.trainableWeights)
  const all = countWeights(model.weights)
  return [
    `Model "${name}"`,
    line(HEADINGS),
    ...rows.map(line),
    `${grouped(all)} parameters: ${grouped(trainable)} are learned, ${grouped(all - trainable)} are not`
  ]
}

function shapesOf (layer: tf.layers.Layer): (readonly (number | null)[])[] {
  const shapes = layer.outputShape
  return Array.isArray(shapes[0]) ? shapes as (number | null)[][] : [shapes as (number | null)[]]
}

/** Empty where the layer has one input and that is what the layer above it gives. */
function sourcesOf (layer: tf.layers.Layer, above: tf.layers.Layer | undefined): string {
  const sources = layer.inboundNodes.flatMap(node => node.inboundLayers.map(source => source.name))
  return sources.length === 0 || (sources.length === 1 && sources[0] === above?.name) ? '' : sources.join(', ')
}

function countWeights (weights: readonly tf.LayerVariable[]): number {
  return weights.reduce((sum, { shape }) => sum + shape.reduce<number>((product, side) => product * (side ?? 1), 1), 0)
}

/** `1 234 567`. */
function grouped (count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
}
