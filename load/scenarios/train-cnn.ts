import type { Scenario } from '../scenario.ts'
import { compareTraining } from '../training/compare-training.ts'

export const trainCnn: Scenario = {
  name: 'train-cnn',
  summary: 'Three convolutions of 32, 64 and 128 filters on 32×32×3, dense 128, dropout 0.5, as on CIFAR-10.',
  run: async context => await compareTraining(context, 'cnn', { keras: 1.7, tfjsNode: 2.5 })
}
