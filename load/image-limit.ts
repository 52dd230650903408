import type { ImageContract, Manifest } from '../src/registry/manifest.ts'
import type { TensorValue } from '../src/tensorflow/index.ts'
import type { Ceiling } from './compare.ts'
import { formatNumber, formatSpread } from './format.ts'
import { combinedPerSecond, measureLimit } from './limit.ts'
import type { ModelCopy } from './models.ts'
import type { LoadContext } from './scenario.ts'

/** What the machine could do at best with a photo: decoding and the model's runs, each as fast as alone, on the same cores. */
export async function imageCeiling (context: LoadContext, { versionDirectory, manifest }: ModelCopy, photo: Uint8Array): Promise<Ceiling> {
  const { input = '', signature = '' } = manifest
  const contract = imageContract(manifest)
  context.log('bare loop')
  const run = await measureLimit({ kind: 'run', directory: versionDirectory, signature, row: { [input]: greyRow(manifest) }, batchSizes: [1, 4, 8, 16, 32] }, context)
  context.log('decoding alone')
  const decode = await measureLimit({ kind: 'decode', file: photo, contract }, context)
  const perSecond = combinedPerSecond([run.rowsPerSecond.median, decode.rowsPerSecond.median])
  return {
    perSecond,
    parts: [
      { what: `bare loop, batches of ${run.batchSize}, ${run.inFlight} under way`, perSecond: formatSpread(run.rowsPerSecond) },
      { what: `decoding alone, ${decode.inFlight} under way`, perSecond: formatSpread(decode.rowsPerSecond) },
      { what: 'limit: both on the same cores', perSecond: formatNumber(perSecond) }
    ]
  }
}

/** A decoded photo of one colour, uint8 [1, height, width, channels]: a run takes as long on any. */
export function greyRow (manifest: Manifest): TensorValue {
  const { height, width, channels } = imageContract(manifest)
  return { dtype: 'uint8', shape: [1, height, width, channels], data: new Uint8Array(height * width * channels).fill(127) }
}

function imageContract ({ image }: Manifest): ImageContract {
  if (image === undefined) throw new Error('Expected a model that takes images')
  return image
}
