import type { Output } from '../../tensorflow/index.ts'
import type { Scope } from '../lowering/scope.ts'
import { elementwise, EPSILON, type Loss } from './loss.ts'

export const meanSquaredError = elementwise('meanSquaredError', (scope, target, { output }) => scope.mean(scope.op('SquaredDifference', [output, target]), [-1]))

export const meanAbsoluteError = elementwise('meanAbsoluteError', (scope, target, { output }) => scope.mean(scope.op('Abs', [scope.sub(output, target)]), [-1]))

/** In percent of the target. */
export const meanAbsolutePercentageError = elementwise('meanAbsolutePercentageError', (scope, target, { output }) => {
  const size = atLeast(scope, scope.op('Abs', [target]), EPSILON)
  return scope.mul(scope.mean(scope.op('Abs', [scope.div(scope.sub(target, output), size)]), [-1]), 100)
})

/** For targets that are never negative: an error counts by how many times too large or small. */
export const meanSquaredLogarithmicError = elementwise('meanSquaredLogarithmicError', (scope, target, { output }) => {
  const log = (x: Output): Output => scope.op('Log', [scope.add(atLeast(scope, x, EPSILON), 1)])
  return scope.mean(scope.op('SquaredDifference', [log(output), log(target)]), [-1])
})

/** Half the squared error up to `delta`, from there on a straight line: outliers count less. @param delta default 1 */
export function huber ({ delta = 1 }: { delta?: number } = {}): Loss {
  return elementwise('huber', (scope, target, { output }) => {
    const error = scope.op('Abs', [scope.sub(output, target)])
    const near = scope.op('Minimum', [error, scope.number(delta)])
    // near · (error − near ÷ 2): error² ÷ 2 where near is the error itself, delta · (error − delta ÷ 2) beyond.
    return scope.mean(scope.mul(near, scope.sub(error, scope.mul(near, 0.5))), [-1])
  })
}

/** The logarithm of the error's hyperbolic cosine: as Huber's, without a corner. */
export const logcosh = elementwise('logcosh', (scope, target, { output }) => {
  const error = scope.sub(output, target)
  return scope.mean(scope.sub(scope.add(error, scope.op('Softplus', [scope.mul(error, -2)])), Math.LN2), [-1])
})

/** −1 where both point the same way, 1 where they point opposite ways. */
export const cosineProximity = elementwise('cosineProximity', (scope, target, { output }) =>
  scope.op('Neg', [scope.sum(scope.mul(unit(scope, target), unit(scope, output)), [-1])]))

function unit (scope: Scope, x: Output): Output {
  const squares = scope.sum(scope.op('Square', [x]), [-1], true)
  return scope.mul(x, scope.op('Rsqrt', [atLeast(scope, squares, EPSILON)]))
}

function atLeast (scope: Scope, x: Output, least: number): Output {
  return scope.op('Maximum', [x, scope.number(least)])
}
