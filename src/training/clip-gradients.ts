import type { Output } from '../tensorflow/index.ts'
import type { Scope } from './lowering/scope.ts'

/** Bounds for gradients. Where several are given, they are heeded in this order. */
export interface ClipOptions {
  /** No element is further from 0. */
  readonly value?: number
  /** No variable's gradient, as a vector, is longer. */
  readonly norm?: number
  /** All gradients together, as one vector, are no longer. */
  readonly globalNorm?: number
}

/** Gradients within bounds, in their order. */
export function clipGradients (scope: Scope, gradients: readonly Output[], { value, norm, globalNorm }: ClipOptions): Output[] {
  let clipped = [...gradients]
  if (value !== undefined) clipped = clipped.map(gradient => scope.op('ClipByValue', [gradient, scope.number(-value), scope.number(value)]))
  if (norm !== undefined) clipped = clipped.map(gradient => scope.mul(gradient, shrinking(scope, [gradient], norm)))
  if (globalNorm !== undefined && clipped.length > 0) {
    const scale = shrinking(scope, clipped, globalNorm)
    clipped = clipped.map(gradient => scope.mul(gradient, scale))
  }
  return clipped
}

/** What makes the length of all together at most `limit`: limit ÷ max(length, limit). */
function shrinking (scope: Scope, gradients: readonly Output[], limit: number): Output {
  const halfSquares = scope.op('AddN', [gradients.map(gradient => scope.op('L2Loss', [gradient]))])
  const length = scope.op('Sqrt', [scope.mul(halfSquares, 2)])
  return scope.div(limit, scope.op('Maximum', [length, scope.number(limit)]))
}
