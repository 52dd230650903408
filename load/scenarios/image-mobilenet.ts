import { compareServers } from '../compare.ts'
import { greyRow, imageCeiling } from '../image-limit.ts'
import { makeMobileNet } from '../network-models.ts'
import { litServe } from '../peers/litserve.ts'
import { naive } from '../peers/naive.ts'
import { fastApi } from '../peers/python.ts'
import { pyTriton } from '../peers/pytriton.ts'
import { makePhoto } from '../photo.ts'
import { fileForm } from '../requests.ts'
import type { Scenario } from '../scenario.ts'

/** A model that takes longer than the photo's decoding. */
export const imageMobilenet: Scenario = {
  name: 'image-mobilenet',
  summary: 'A JPEG of 640×427, as a form\'s file, to MobileNetV2 (224×224, 1000 classes), beside other servers with the same SavedModel; PyTriton is given the decoded pixels.',
  async run (context) {
    const model = await makeMobileNet(context.scratch)
    const photo = await makePhoto()
    const triton = pyTriton(greyRow(model.manifest))
    return await compareServers({ ...context, durationMs: context.durationMs / 2 }, {
      model,
      request: fileForm('/predict/image?model=mobilenet', photo),
      connections: [1, 32],
      ceiling: await imageCeiling(context, model, photo),
      peers: [litServe, triton, fastApi, naive],
      goals: { peers: [{ name: litServe.name, times: 1.6 }, { name: triton.name, times: 1 }], tail: 1.5 }
    })
  }
}
