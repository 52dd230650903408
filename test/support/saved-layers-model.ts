import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import { tf as tfjs } from '../../src/training/tf.ts'

/** Writes a model as TensorFlow.js does, its weights in shards of a few bytes. @returns the path of its model.json */
export async function saveLayersModel (directory: string, model: tf.LayersModel, { shardBytes = 1000, change = json => json }: {
  shardBytes?: number
  /** What to write in place of the true model.json. */
  change?: (json: Record<string, unknown>) => unknown
} = {}): Promise<string> {
  const path = join(directory, 'model.json')
  await model.save(tfjs.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
    const bytes = Buffer.from(weightData as ArrayBuffer)
    const paths = Array.from({ length: Math.ceil(bytes.length / shardBytes) }, (_, index) => `group1-shard${index + 1}.bin`)
    paths.forEach((name, index) => { writeFileSync(join(directory, name), bytes.subarray(index * shardBytes, (index + 1) * shardBytes)) })
    const json = { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] }
    writeFileSync(path, JSON.stringify(change(JSON.parse(JSON.stringify(json)) as Record<string, unknown>)))
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const } }
  }))
  return path
}
