import type { Recipe } from '../training/recipe.ts'
import { attention } from './attention.ts'
import { bilstm } from './bilstm.ts'
import { cnn } from './cnn.ts'
import { fashion } from './fashion.ts'
import { gru } from './gru.ts'
import { imageFolder } from './image-folder.ts'
import { lstm } from './lstm.ts'
import { mlp } from './mlp.ts'
import { neuron } from './neuron.ts'
import { regularized } from './regularized.ts'
import { sentiment } from './sentiment.ts'
import { simpleRnn } from './simple-rnn.ts'
import { spam } from './spam.ts'
import { textFile } from './text-file.ts'

/** Every recipe that `npm run train` knows, in the order that it lists them. */
export const recipes: readonly Recipe[] = [neuron, mlp, regularized, fashion, cnn, simpleRnn, lstm, bilstm, gru, attention, spam, sentiment, imageFolder, textFile]
