import type { Recipe } from '../training/recipe.ts'
import { cnn } from './cnn.ts'
import { fashion } from './fashion.ts'
import { imageFolder } from './image-folder.ts'
import { lstm } from './lstm.ts'
import { mlp } from './mlp.ts'
import { neuron } from './neuron.ts'
import { regularized } from './regularized.ts'
import { sentiment } from './sentiment.ts'

/** Every recipe that `npm run train` knows, in the order that it lists them. */
export const recipes: readonly Recipe[] = [neuron, mlp, regularized, fashion, cnn, lstm, sentiment, imageFolder]
