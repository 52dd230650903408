import { compareServers } from '../compare.ts'
import { imageCeiling } from '../image-limit.ts'
import { makeCifarCnn } from '../network-models.ts'
import { litServe } from '../peers/litserve.ts'
import { naive } from '../peers/naive.ts'
import { bentoMl, course, fastApi } from '../peers/python.ts'
import { makePhoto } from '../photo.ts'
import { fileForm } from '../requests.ts'
import type { Scenario } from '../scenario.ts'

/** A small model behind a large photo: decoding, batching and what a request costs besides. */
export const imageCifar: Scenario = {
  name: 'image-cifar',
  summary: 'A JPEG of 640×427 with a colour profile, as a form\'s file, to a CNN of three blocks (32×32, 10 classes), beside other servers with the same SavedModel.',
  async run (context) {
    const model = await makeCifarCnn(context.scratch)
    const photo = await makePhoto()
    return await compareServers({ ...context, durationMs: context.durationMs / 2 }, {
      model,
      request: fileForm('/predict/image?model=cifar', photo),
      connections: [1, 32, 64],
      ceiling: await imageCeiling(context, model, photo),
      peers: [litServe, fastApi, bentoMl, naive, course],
      goals: {
        ofLimit: 0.85,
        peers: [
          { name: litServe.name, times: 1.7 },
          { name: fastApi.name, times: 2 },
          { name: bentoMl.name, times: 3 },
          { name: naive.name, times: 4, isMemoryHeld: true },
          { name: course.name, times: 50 }
        ],
        isFastestAlone: true,
        tail: 1.5
      }
    })
  }
}
