/** How gradients change weights. Write your own: an object with the three fields of `Optimizer`. */
export { adam, adamW } from './optimizers/adam.ts'
export { adamax } from './optimizers/adamax.ts'
export { adadelta, adagrad } from './optimizers/adagrad.ts'
export { nadam } from './optimizers/nadam.ts'
export type { Optimizer } from './optimizers/optimizer.ts'
export { rmsprop } from './optimizers/rmsprop.ts'
export { sgd } from './optimizers/sgd.ts'
export { withWeightDecay } from './optimizers/weight-decay.ts'
