import type { LayerCall, Lowering } from './layer-call.ts'
import { rankOf, type Scope } from './scope.ts'
import type { Output } from '../../tensorflow/index.ts'

type Pairwise = (scope: Scope, a: Output, b: Output) => Output

/** Inputs of fewer axes get axes of 1 after the rows, as in `tf.layers`. */
function fold (call: LayerCall, combine: Pairwise): Output {
  const { scope, inputs } = call
  const rank = Math.max(...inputs.map(rankOf))
  const [first, ...others] = inputs.map(input => {
    let x = input
    while (rankOf(x) < rank) x = scope.expandDims(x, 1)
    return x
  })
  return others.reduce((result, x) => combine(scope, result, x), first!)
}

/** A step counts where it counts in all inputs. */
function commonMask ({ masks, scope }: LayerCall): (Output | undefined)[] {
  const given = masks.filter(mask => mask !== undefined)
  return given.length === 0 ? [] : [given.reduce((all, mask) => scope.op('LogicalAnd', [all, mask]))]
}

/** Along the steps the masks follow one another; along the features a step counts where it counts in all inputs. */
function concatenatedMask (call: LayerCall): (Output | undefined)[] {
  const { config, inputs, input, masks, scope } = call
  if (masks.every(mask => mask === undefined)) return []
  const axis = config.number('axis') < 0 ? config.number('axis') + rankOf(input) : config.number('axis')
  if (axis !== 1) return commonMask(call)
  const all = inputs.map((x, index) => masks[index] ?? scope.op('Fill', [scope.shape(scope.dimensions(x).slice(0, 2)), scope.graph.scalar('bool', 1)]))
  return [scope.op('ConcatV2', [all, scope.int(1)])]
}

const add: Pairwise = (scope, a, b) => scope.add(a, b)

/** Cosine instead of product where the layer says `normalize`. @see @tensorflow/tfjs-layers merge.ts batchDot */
function lowerDot ({ config, scope, inputs }: LayerCall): Output {
  const axes = config.numbers('axes')
  const [a, b] = inputs.map((input, index) => {
    const given = axes[index] ?? axes[0]!
    const axis = given < 0 ? given + rankOf(input) : given
    return { x: config.flag('normalize') ? unitLength(scope, input, axis) : input, axis, rank: rankOf(input) }
  }) as [DotSide, DotSide]
  if (a.rank === 2 && b.rank === 2) return scope.sum(scope.mul(a.x, b.x), [1], true)
  const left = a.rank === 2 ? scope.expandDims(a.x, 1) : a.axis === 2 ? a.x : scope.transpose(a.x, [0, 2, 1])
  const right = b.rank === 2 ? scope.expandDims(b.x, 2) : b.axis === 1 ? b.x : scope.transpose(b.x, [0, 2, 1])
  const product = scope.op('BatchMatMulV2', [left, right])
  return a.rank === 2 ? scope.squeeze(product, [1]) : b.rank === 2 ? scope.squeeze(product, [2]) : product
}

interface DotSide { x: Output, axis: number, rank: number }

const EPSILON = 1e-7

function unitLength (scope: Scope, x: Output, axis: number): Output {
  const square = scope.sum(scope.op('Square', [x]), [axis], true)
  return scope.div(x, scope.op('Sqrt', [scope.op('Maximum', [square, scope.number(EPSILON)])]))
}

export const mergeLayers: Record<string, Lowering> = {
  Add: { lower: call => fold(call, add), masks: commonMask, takesHalf: true },
  Multiply: { lower: call => fold(call, (scope, a, b) => scope.mul(a, b)), masks: commonMask, takesHalf: true },
  Average: { lower: call => call.scope.mul(fold(call, add), 1 / call.inputs.length), masks: commonMask },
  Maximum: { lower: call => fold(call, (scope, a, b) => scope.op('Maximum', [a, b])), masks: commonMask, takesHalf: true },
  Minimum: { lower: call => fold(call, (scope, a, b) => scope.op('Minimum', [a, b])), masks: commonMask },
  Concatenate: { lower: ({ config, scope, inputs }) => scope.op('ConcatV2', [inputs, scope.int(config.number('axis'))]), masks: concatenatedMask, takesHalf: true },
  Dot: { lower: lowerDot, masks: () => [] }
}
