import type tf from '@tensorflow/tfjs'
import type { TensorValue } from '../tensorflow/index.ts'
import { flipLeftRight } from '../training/augmentation.ts'
import { earlyStopping } from '../training/callbacks/early-stopping.ts'
import { tensorDataset } from '../training/datasets/dataset.ts'
import { photoDataset } from '../training/datasets/photos.ts'
import { goldenImage } from '../training/golden-inputs.ts'
import { layersOf } from '../training/importing/imported-model.ts'
import { adam } from '../training/optimizers.ts'
import { closePredictor } from '../training/predictor.ts'
import type { Recipe } from '../training/recipe.ts'
import { showImages } from '../training/report/examples.ts'
import { tf as tfjs } from '../training/tf.ts'
import { modelNameOf, PHOTO_DATA, PHOTO_OPTIONS, withPhotos } from './photos.ts'
import { buildHead, HEAD_LOSS, headLayers } from './transfer.ts'

// The head first learns alone: while it knows nothing, its gradients would undo what the base knows.
const HEAD_EPOCHS = 20
const HEAD_LEARNING_RATE = 0.0003
// Epochs without a better loss on held-out photos: a few hundred photos are soon known by heart, by the base too.
const PATIENCE = 3

/** The base with its head, of which all but the last layers of the base stay as they are. */
function buildModel (base: tf.LayersModel, head: readonly (readonly [unknown, TensorValue])[], classes: number, unfrozen: number): tf.LayersModel {
  const layers = headLayers(classes)
  const probabilities = layers.reduce((x, layer) => layer.apply(x) as tf.SymbolicTensor, base.outputs[0]!)
  const values = head.map(([, { data, shape }]) => tfjs.tensor(data as Float32Array, [...shape]))
  for (const layer of layers) layer.setWeights(values.splice(0, layer.weights.length))
  const withWeights = layersOf(base).filter(({ weights }) => weights.length > 0)
  for (const layer of withWeights.slice(0, Math.max(withWeights.length - unfrozen, 0))) layer.trainable = false
  return tfjs.model({ inputs: base.inputs, outputs: probabilities })
}

/** Transfer learning in two steps: a head on the frozen base, then the base's last layers too, in small steps. */
export const fineTune: Recipe = {
  name: 'fine-tune',
  summary: 'as transfer, then the last layers of the base learn too',
  data: PHOTO_DATA,
  settings: { epochs: 8, batchSize: 32, learningRate: 0.00001, seed: 1 },
  options: { ...PHOTO_OPTIONS, unfreeze: { description: 'how many layers of the base learn, counted from its end', default: '40' } },
  modelName: data => modelNameOf(data, 'fine-tune'),

  async run (run) {
    const unfrozen = run.numberOption('unfreeze', { least: 0, isWhole: true })
    return await withPhotos(run, async ({ base, baseLayers, classes, train, heldOut, origin }) => {
      run.say('The head, on the frozen base:')
      const heldOutPhotos = photoDataset(heldOut.files, base.contract)
      const head = await run.train({
        name: 'head',
        model: run.build(() => buildHead(base.featureCount, classes.length)),
        loss: HEAD_LOSS,
        optimizer: adam({ learningRate: HEAD_LEARNING_RATE }),
        epochs: HEAD_EPOCHS,
        data: tensorDataset(train.features, train.labels),
        heldOut: tensorDataset(heldOut.features, heldOut.labels),
        show: showImages(heldOutPhotos)
      })
      await closePredictor(head.predictor)

      run.say(`The last ${unfrozen} layers of the base too:`)
      const layers = await baseLayers()
      const tuned = await run.train({
        model: run.build(() => buildModel(layers, head.values, classes.length, unfrozen)),
        inputTypes: { pixels: 'uint8' },
        loss: HEAD_LOSS,
        optimizer: adam({ learningRate: run.settings.learningRate }),
        augment: [flipLeftRight()],
        callbacks: [earlyStopping({ patience: PATIENCE })],
        data: photoDataset(train.files, base.contract),
        heldOut: heldOutPhotos
      })
      run.say(`Accuracy on held-out photos: ${head.metrics['accuracy']!.toFixed(4)} with the base frozen, ${tuned.metrics['accuracy']!.toFixed(4)} fine-tuned`)
      return await run.export({
        ...tuned,
        metrics: { ...tuned.metrics, accuracyFrozen: head.metrics['accuracy']! },
        manifest: { task: 'image-classification', labels: [...classes], image: base.contract },
        golden: [goldenImage('pixels', base.contract)],
        origin
      })
    })
  }
}
