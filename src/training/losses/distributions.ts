import { elementwise, EPSILON } from './loss.ts'

/** How much is lost by taking the predicted distribution for the target one. Rows of both sum up to 1. */
export const kullbackLeiblerDivergence = elementwise('kullbackLeiblerDivergence', (scope, target, { output }) => {
  const ratio = scope.div(scope.clip(target, EPSILON, 1), scope.clip(output, EPSILON, 1))
  return scope.sum(scope.mul(target, scope.op('Log', [ratio])), [-1])
})

/** For counts: the output is how many are expected. */
export const poisson = elementwise('poisson', (scope, target, { output }) =>
  scope.mean(scope.sub(output, scope.mul(target, scope.op('Log', [scope.add(output, EPSILON)]))), [-1]))
