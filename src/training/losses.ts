import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './losses/crossentropy.ts'
import { cosineProximity, huber, logcosh, meanAbsoluteError, meanAbsolutePercentageError, meanSquaredError, meanSquaredLogarithmicError } from './losses/distances.ts'
import { kullbackLeiblerDivergence, poisson } from './losses/distributions.ts'
import { elementwise, type Loss, type LossOfRows } from './losses/loss.ts'
import { categoricalHinge, hinge, squaredHinge } from './losses/margins.ts'

export { binaryCrossentropy, categoricalCrossentropy, huber, sparseCategoricalCrossentropy }
export type { Loss } from './losses/loss.ts'

/** By the names of `tf.layers`, and `huber`. */
const LOSSES = {
  binaryCrossentropy: binaryCrossentropy(),
  categoricalCrossentropy: categoricalCrossentropy(),
  sparseCategoricalCrossentropy: sparseCategoricalCrossentropy(),
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  huber: huber(),
  logcosh,
  cosineProximity,
  hinge,
  squaredHinge,
  categoricalHinge,
  kullbackLeiblerDivergence,
  poisson
} satisfies Record<string, Loss>

export type LossName = keyof typeof LOSSES

/** A loss by its name, one with options, or your own: a function that writes it into the graph for targets that look like the output. */
export type LossChoice = LossName | Loss | LossOfRows

export function isLossName (name: string): name is LossName {
  return Object.hasOwn(LOSSES, name)
}

export function findLoss (loss: LossChoice): Loss {
  if (typeof loss === 'function') return elementwise(loss.name, loss)
  return typeof loss === 'string' ? LOSSES[loss] : loss
}
