import type tf from '@tensorflow/tfjs'
import { CannotImportError } from '../../../errors.ts'
import { giveZerosForMask } from '../../lowering/recurrent/zero-outputs.ts'
import { isObject, type JsonObject } from '../json.ts'

/** Options that `tf.layers` does not have, and the values with which they change nothing. Undefined: they never do. */
const NEUTRAL: Readonly<Record<string, readonly unknown[] | undefined>> = {
  antialias: [false],
  autocast: undefined,
  batchSize: [null],
  batchInputShape: undefined,
  bias: undefined,
  buildConfig: undefined,
  cropToAspectRatio: [false],
  dataFormat: ['channels_last', 'channelsLast', null],
  depthMultiplier: undefined, // it is seen in the shapes of the weights
  dilationRate: [1],
  dtype: undefined,
  fillMode: ['constant'],
  fillValue: [0],
  groups: [1],
  implementation: undefined,
  inputDtype: undefined,
  inputLength: undefined,
  inputDim: undefined,
  keepdims: [false],
  loraRank: [null],
  loraAlpha: undefined,
  negativeSlope: [0, null],
  noiseShape: [null],
  optional: [false],
  outputPadding: [null],
  padToAspectRatio: [false],
  quantizationConfig: [null],
  quantizationMode: [null],
  ragged: [false],
  renorm: [false],
  fused: undefined,
  resetAfter: [false],
  rmsScaling: [false],
  seed: undefined,
  sparse: [false, null],
  synchronized: [false],
  threshold: [0, null],
  timeMajor: [false],
  unroll: undefined,
  useCudnn: undefined,
  zeroOutputForMask: undefined, // see below
  virtualBatchSize: [null],
  adjustment: [null]
}

/**
 * Makes sure that no option of a layer was passed over: `tf.layers` takes those it knows and says nothing of the others. What only our lowering has
 * is switched on.
 *
 * @param topology as translated; the model was built of it
 * @throws CannotImportError naming the layer, the option and its value
 */
export function checkOptions (path: string, topology: JsonObject, model: tf.LayersModel): void {
  const config = topology['config']
  const layers = isObject(config) ? config['layers'] : config
  if (!Array.isArray(layers)) return
  for (const described of layers.filter(isObject)) {
    const name = isObject(described['config']) ? described['config']['name'] : undefined
    const layer = model.layers.find(candidate => candidate.name === name)
    if (layer !== undefined) checkLayer(path, described, layer)
  }
}

function checkLayer (path: string, described: JsonObject, layer: tf.layers.Layer): void {
  if ('layers' in layer) return checkOptions(path, described, layer as tf.LayersModel)
  const config = described['config'] as JsonObject
  refuseOtherResampling(path, config, layer)
  refusePassedOver(path, config, layer)
  if (config['zero_output_for_mask'] === true) giveZerosForMask(layer)
  const { layer: inner, forwardLayer, backwardLayer } = layer as unknown as Record<string, tf.layers.Layer | undefined>
  const wrapped = config['layer']
  if (isObject(wrapped)) for (const part of [inner, forwardLayer, backwardLayer]) if (part !== undefined) checkLayer(path, wrapped, part)
}

function refusePassedOver (path: string, config: JsonObject, layer: tf.layers.Layer): void {
  const known = new Set([...Object.keys(layer.getConfig()), 'layer', 'cell'])
  for (const [option, value] of Object.entries(config)) {
    const name = camelCase(option)
    if (known.has(name) || known.has(option) || name.endsWith('Initializer')) continue // the weights are stored
    const isKnown = Object.hasOwn(NEUTRAL, name) || /(Regularizer|Constraint)$/.test(name)
    const neutral = Object.hasOwn(NEUTRAL, name) ? NEUTRAL[name] : [null]
    const parts: unknown[] = Array.isArray(value) ? value : [value]
    if (!isKnown || (neutral !== undefined && !parts.every(part => neutral.includes(part)))) throw refused(path, layer, option, value)
  }
}

/** Between pixels Keras looks at their centres, `tf.layers` at their corners. */
function refuseOtherResampling (path: string, { interpolation }: JsonObject, layer: tf.layers.Layer): void {
  const isExact = layer.getClassName() === 'UpSampling2D' && interpolation === 'nearest'
  if (interpolation !== undefined && !isExact) throw refused(path, layer, 'interpolation', interpolation)
}

function refused (path: string, layer: tf.layers.Layer, option: string, value: unknown): Error {
  return new CannotImportError(`${path}: layer "${layer.name}" of class ${layer.getClassName()}`, `its option ${option} is ${JSON.stringify(value)}, which tf.layers does not have`)
}

function camelCase (name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
