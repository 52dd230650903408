import { ancestors, type Operation, type Output, type Variable } from '../tensorflow/index.ts'
import { clipGradients, type ClipOptions } from './clip-gradients.ts'
import { gradients } from './gradients.ts'
import { scaleLoss, type LossScaleOptions } from './loss-scaling.ts'
import type { Precision, Scope } from './lowering/scope.ts'
import type { Optimizer } from './optimizers.ts'
import type { FilledVariable } from './variable-values.ts'

/** What happens to gradients before and while they change weights. */
export interface UpdateOptions {
  readonly optimizer: Optimizer
  readonly clip?: ClipOptions
  /** Steps whose gradients are averaged before the weights change once, as if their batches were one; default 1. */
  readonly accumulate?: number
  /**
   * What convolutions and matrix products are calculated in while the model learns: default float32. Weights, sums, losses and the exported model
   * stay float32. bfloat16 has float32's range; for float16 the loss is scaled.
   */
  readonly precision?: Precision
  /** Only for float16. */
  readonly lossScale?: LossScaleOptions
}

export interface UpdateInputs extends UpdateOptions {
  /** A scalar. */
  readonly loss: Output
  readonly variables: readonly Variable[]
  /** int64 scalar: 1 at the first step. */
  readonly step: Output
  readonly learningRate: Output
  /** What each run does before it reads a variable. */
  readonly readAfter?: Operation | undefined
}

/** Operations that change variables. */
export interface Updates {
  readonly slots: readonly FilledVariable[]
  /** Change the model's variables. */
  readonly apply: readonly Operation[]
  /** Only remember gradients, for steps between. Empty without accumulation. */
  readonly gather: readonly Operation[]
}

/**
 * Adds gradients and the optimizer. Variables that the loss does not depend on stay as they are. One changes when all that read it in the step have:
 * TensorFlow copies a variable that is changed while its value is in use.
 */
export function addUpdates (scope: Scope, { loss, variables, step, learningRate, optimizer, clip = {}, accumulate = 1, precision = 'float32', lossScale = {}, readAfter }: UpdateInputs): Updates {
  const slots: FilledVariable[] = []
  const slotOf = (name: string, shape: readonly number[], initial: number): Variable => {
    const variable = scope.graph.variable(`training/${name}`, 'float32', shape, readAfter)
    slots.push({ variable, initial })
    return variable
  }
  const scaling = precision === 'float16' ? scaleLoss(scope.under('loss_scale'), loss, (name, initial) => slotOf(name, [], initial), lossScale) : undefined
  const found = gradients(scope.graph, [scaling?.scaled ?? loss], variables.map(variable => variable.read()))
  const scaled = variables.flatMap((variable, index) => found[index] === undefined ? [] : [{ variable, gradient: found[index] }])
  const unscaled = scaling?.unscale(scaled.map(({ gradient }) => gradient))
  const learned = scaled.map(({ variable, gradient }, index) => ({ variable, gradient: unscaled?.gradients[index] ?? gradient }))
  const sums = learned.map(({ variable, gradient }) => accumulate === 1 ? onlyOne(gradient) : accumulated(scope, gradient, slotOf(`${variable.name}/gradient`, variable.shape, 0), accumulate))
  const clipped = clipGradients(scope, sums.map(({ mean }) => mean), clip)
  const apply = optimizer.begin({ scope, learningRate, step: updatesOf(scope, step, accumulate), scalarSlot: (name, initial) => slotOf(name, [], initial) })
  const inStep = ancestors(clipped)
  const changes = learned.map(({ variable }, index) => apply({
    scope: scope.under(variable.name),
    variable,
    gradient: clipped[index]!,
    slot: (name, initial = 0) => slotOf(`${variable.name}/${name}`, variable.shape, initial),
    after: variable.read().consumers().filter(({ pointer }) => inStep.has(pointer))
  }))
  const rescale = unscaled?.updates ?? []
  return { slots, apply: [...changes, ...sums.flatMap(({ forget }) => forget), ...rescale], gather: [...sums.flatMap(({ gather }) => gather), ...(accumulate === 1 ? [] : rescale)] }
}

/** A gradient as the optimizer gets it. */
interface GradientSum {
  readonly mean: Output
  /** Begins anew after the optimizer's step. */
  readonly forget: readonly Operation[]
  readonly gather: readonly Operation[]
}

function onlyOne (gradient: Output): GradientSum {
  return { mean: gradient, forget: [], gather: [] }
}

function accumulated (scope: Scope, gradient: Output, kept: Variable, count: number): GradientSum {
  const sum = scope.add(kept.read(), gradient)
  const zero = scope.op('ZerosLike', [gradient])
  return {
    mean: scope.mul(sum, 1 / count),
    forget: [scope.operation('AssignVariableOp', [kept.handle, zero], { dtype: kept.dtype }, [sum.operation])],
    gather: [scope.operation('AssignAddVariableOp', [kept.handle, gradient], { dtype: kept.dtype })]
  }
}

/** How many times the weights have changed, this time included; float32. */
function updatesOf (scope: Scope, step: Output, accumulate: number): Output {
  if (accumulate === 1) return scope.float(step)
  return scope.float(scope.op('FloorDiv', [step, scope.graph.scalar('int64', accumulate)]))
}
