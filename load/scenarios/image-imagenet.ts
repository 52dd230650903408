import { compareServers } from '../compare.ts'
import { imageCeiling } from '../image-limit.ts'
import { copyModel } from '../models.ts'
import { naive } from '../peers/naive.ts'
import { fileForm } from '../requests.ts'
import { makePhoto } from '../photo.ts'
import type { Scenario } from '../scenario.ts'

/** The main job: a photo as a camera gives it, on a real model. */
export const imageImagenet: Scenario = {
  name: 'image-imagenet',
  summary: 'A JPEG of 640×427 with a colour profile, as a form\'s file, to EfficientNet-Lite0 (224×224, 1000 classes).',
  async run (context) {
    const model = await copyModel('imagenet', context.scratch)
    const photo = await makePhoto()
    return await compareServers(context, {
      model,
      request: fileForm('/predict/image?model=imagenet', photo),
      connections: [1, 8, 64],
      ceiling: await imageCeiling(context, model, photo),
      peers: [naive],
      goals: { peers: [] }
    })
  }
}
