import type { Scenario } from '../scenario.ts'
import { compareTraining } from '../training/compare-training.ts'

export const trainMlp: Scenario = {
  name: 'train-mlp',
  summary: '784 → 256 → 128 → 10 with dropout 0.2, as on MNIST.',
  run: async context => await compareTraining(context, 'mlp', { keras: 3, tfjsNode: 3 })
}
