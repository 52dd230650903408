import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type tf from '@tensorflow/tfjs'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { BadModelFileError } from '../../errors.ts'
import { elementCount } from '../../tensorflow/index.ts'

const Size = Type.Integer({ minimum: 0 })

/** The part of `model.json` that says where the weights are. @see tfjs-core io/types.ts */
const ManifestSchema = Type.Array(Type.Object({
  paths: Type.Array(Type.String()),
  weights: Type.Array(Type.Object({
    name: Type.String(),
    shape: Type.Array(Size),
    dtype: Type.Union([Type.Literal('float32'), Type.Literal('int32'), Type.Literal('bool'), Type.Literal('string')]),
    quantization: Type.Optional(Type.Object({
      dtype: Type.Union([Type.Literal('uint8'), Type.Literal('uint16'), Type.Literal('float16')]),
      scale: Type.Optional(Type.Number()),
      min: Type.Optional(Type.Number())
    }))
  }))
}))

const validator = Compile(ManifestSchema)
type WeightGroup = Static<typeof ManifestSchema>[number]

const SIZE_BYTES = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const

export interface WeightShards {
  readonly weightSpecs: tf.io.WeightsManifestEntry[]
  /** Group after group, each in the order of its specifications. */
  readonly weightData: ArrayBuffer
}

/**
 * Reads the shards that a `model.json` of TensorFlow.js names. They lie beside it; a path that leads elsewhere is refused.
 *
 * @throws BadModelFileError if a shard is missing, or longer or shorter than its weights
 */
export async function readWeightShards (modelPath: string, manifest: unknown): Promise<WeightShards> {
  if (!validator.Check(manifest)) {
    const [first] = validator.Errors(manifest)
    throw new BadModelFileError(modelPath, `its weightsManifest${first?.instancePath ?? ''} ${first?.message ?? 'is missing'}`)
  }
  const groups: Uint8Array[] = []
  for (const group of manifest) groups.push(await readGroup(modelPath, group))
  const bytes = Buffer.concat(groups)
  return {
    weightSpecs: manifest.flatMap(({ weights }) => weights),
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  }
}

async function readGroup (modelPath: string, { paths, weights }: WeightGroup): Promise<Uint8Array> {
  const shards: Uint8Array[] = []
  for (const path of paths) shards.push(await readShard(modelPath, path))
  const bytes = Buffer.concat(shards)
  const text = weights.find(({ dtype }) => dtype === 'string')
  if (text !== undefined) throw new BadModelFileError(modelPath, `its weight "${text.name}" is of text, which no layer here has`)
  const declared = weights.reduce((sum, { shape, dtype, quantization }) => sum + elementCount(shape) * SIZE_BYTES[quantization?.dtype ?? dtype as keyof typeof SIZE_BYTES], 0)
  if (declared !== bytes.byteLength) throw new BadModelFileError(modelPath, `its weights take ${declared} bytes, and ${paths.join(', ')} hold${paths.length === 1 ? 's' : ''} ${bytes.byteLength}`)
  return bytes
}

async function readShard (modelPath: string, name: string): Promise<Uint8Array> {
  if (name !== basename(name) || name === '..' || name.includes('\\')) throw new BadModelFileError(modelPath, `its weights have to lie beside it, "${name}" leads elsewhere`)
  const path = join(dirname(modelPath), name)
  const isFile = await stat(path).then(entry => entry.isFile(), () => false)
  if (!isFile) throw new BadModelFileError(modelPath, `its weights ${name} are not beside it`)
  return await readFile(path)
}
