import type { Scenario } from '../scenario.ts'
import { compareTraining } from '../training/compare-training.ts'

export const trainLstm: Scenario = {
  name: 'train-lstm',
  summary: 'Embedding 10 000 × 100, LSTM 64 over 200 steps, dense 64, as on IMDB.',
  run: async context => await compareTraining(context, 'lstm', { keras: 2.5, tfjsNode: 25 })
}
