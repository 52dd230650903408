import type tf from '@tensorflow/tfjs'
import type { Output } from '../../tensorflow/index.ts'
import { LoweringError } from '../../errors.ts'
import type { ModelVariables } from './model-variables.ts'
import type { Scope } from './scope.ts'

/** Which weight a layer's option is about, by the weight's name. */
const WEIGHT_OF_OPTION: Readonly<Record<string, string>> = {
  kernel: 'kernel',
  recurrent: 'recurrent_kernel',
  bias: 'bias',
  gamma: 'gamma',
  beta: 'beta',
  alpha: 'alpha',
  embeddings: 'embeddings',
  depthwise: 'depthwise_kernel',
  pointwise: 'pointwise_kernel'
}

interface SerializedPart { className: string, config: Record<string, unknown> }

/**
 * What one layer's regularizers add to the loss: l1 · Σ|w| + l2 · Σw² for each regularized weight.
 *
 * @throws LoweringError for a regularizer of another class
 */
export function regularizationLosses (layer: tf.layers.Layer, variables: ModelVariables, scope: Scope): Output[] {
  return partsOf(layer, 'Regularizer').map(([option, weight, { className, config }]) => {
    if (className !== 'L1L2') throw new LoweringError(layer.name, `its ${option} is of class ${className}; use l1, l2 or l1l2`)
    const value = variables.of(weight).read()
    const l1 = scope.mul(sumOfAll(scope, scope.op('Abs', [value])), Number(config['l1']))
    const l2 = scope.mul(sumOfAll(scope, scope.op('Square', [value])), Number(config['l2']))
    return scope.add(l1, l2)
  })
}

function partsOf (layer: tf.layers.Layer, kind: string): [option: string, weight: tf.LayerVariable, part: SerializedPart][] {
  const config = layer.getConfig() as Record<string, unknown>
  return Object.entries(WEIGHT_OF_OPTION).flatMap(([option, name]) => {
    const part = config[`${option}${kind}`] as SerializedPart | null | undefined
    const weight = layer.weights.find(({ originalName }) => originalName.endsWith(`/${name}`))
    return part == null || weight === undefined ? [] : [[`${option}${kind}`, weight, part]]
  })
}

function sumOfAll (scope: Scope, x: Output): Output {
  return scope.op('Sum', [scope.op('Reshape', [x, scope.ints([-1])]), scope.ints([0])])
}
