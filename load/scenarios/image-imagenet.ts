import { compareServers } from '../compare.ts'
import { formatNumber, formatSpread } from '../format.ts'
import { combinedPerSecond, measureLimit } from '../limit.ts'
import { copyModel } from '../models.ts'
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
    const { image: contract, input = '', signature = '' } = model.manifest
    if (contract === undefined) throw new Error('Expected the model imagenet to take images')
    const pixels = { dtype: 'uint8', shape: [1, contract.height, contract.width, contract.channels], data: new Uint8Array(contract.height * contract.width * contract.channels).fill(127) } as const
    context.log('bare loop')
    const run = await measureLimit({ kind: 'run', directory: model.versionDirectory, signature, row: { [input]: pixels }, batchSizes: [1, 4, 8, 16, 32] }, context)
    context.log('decoding alone')
    const decode = await measureLimit({ kind: 'decode', file: photo, contract }, context)
    const perSecond = combinedPerSecond([run.rowsPerSecond.median, decode.rowsPerSecond.median])
    return await compareServers(context, {
      model,
      request: fileForm('/predict/image?model=imagenet', photo),
      connections: [1, 8, 64],
      ceiling: {
        perSecond,
        parts: [
          { what: `bare loop, batches of ${run.batchSize}, ${run.inFlight} under way`, perSecond: formatSpread(run.rowsPerSecond) },
          { what: `decoding alone, ${decode.inFlight} under way`, perSecond: formatSpread(decode.rowsPerSecond) },
          { what: 'limit: both on the same cores', perSecond: formatNumber(perSecond) }
        ]
      }
    })
  }
}
