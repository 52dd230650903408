import type { Scenario } from '../scenario.ts'
import { badRequests } from './bad-requests.ts'
import { decode } from './decode.ts'
import { equality } from './equality.ts'
import { eventLoop } from './event-loop.ts'
import { hostileImages } from './hostile-images.ts'
import { imageCifar } from './image-cifar.ts'
import { imageImagenet } from './image-imagenet.ts'
import { imageMobilenet } from './image-mobilenet.ts'
import { mixedHour } from './mixed-hour.ts'
import { openLoop } from './open-loop.ts'
import { replaceUnderLoad } from './replace-under-load.ts'
import { replaceVersionUnderLoad } from './replace-version.ts'
import { startAndSize } from './start-and-size.ts'
import { tensorJson } from './tensor-json.ts'
import { trainCnn } from './train-cnn.ts'
import { trainLstm } from './train-lstm.ts'
import { trainMlp } from './train-mlp.ts'
import { textBilstm } from './text-bilstm.ts'
import { textSentiment } from './text-sentiment.ts'
import { twoModels } from './two-models.ts'
import { workers } from './workers.ts'

/** In the order in which they run and stand on the page. */
export const SCENARIOS: readonly Scenario[] = [
  imageImagenet, imageCifar, imageMobilenet, textSentiment, textBilstm, tensorJson, openLoop, replaceUnderLoad, twoModels,
  startAndSize, decode, eventLoop, equality, badRequests, hostileImages, replaceVersionUnderLoad, workers
]

/** Measured by `npm run bench:train`: beside Keras and tfjs-node, with no server. */
export const TRAINING_SCENARIOS: readonly Scenario[] = [trainMlp, trainCnn, trainLstm]

/** Measured only where they are named: they take long. */
export const LONG_SCENARIOS: readonly Scenario[] = [mixedHour]
