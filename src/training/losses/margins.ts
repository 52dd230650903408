import type { Output } from '../../tensorflow/index.ts'
import { shapeOf, type Scope } from '../lowering/scope.ts'
import { elementwise } from './loss.ts'

/** Targets are −1 or 1; nothing is lost beyond a margin of 1. */
export const hinge = elementwise('hinge', (scope, target, { output }) => scope.mean(missing(scope, target, output), [-1]))

/** Targets are −1 or 1. */
export const squaredHinge = elementwise('squaredHinge', (scope, target, { output }) => scope.mean(scope.op('Square', [missing(scope, target, output)]), [-1]))

/** Targets are one-hot rows; the right class is to be 1 over every other. */
export const categoricalHinge = elementwise('categoricalHinge', (scope, target, { output }) => {
  const right = scope.sum(scope.mul(target, output), [-1])
  const others = scope.mul(scope.sub(1, target), output)
  const best = scope.op('Max', [others, scope.ints([shapeOf(output).length - 1])])
  return scope.op('Relu', [scope.add(scope.sub(best, right), 1)])
})

/** Of the margin. */
function missing (scope: Scope, target: Output, output: Output): Output {
  return scope.op('Relu', [scope.sub(1, scope.mul(target, output))])
}
