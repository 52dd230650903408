import { toGoldenTensor } from '../registry/golden.ts'
import type { TensorValue } from '../tensorflow/index.ts'
import type { VersionManifest } from './export.ts'
import { predict, type Predictor } from './predictor.ts'

/** Inputs by the signature's names, whose outputs a version records. */
export interface GoldenInput {
  readonly inputs: Readonly<Record<string, TensorValue>>
  /** The pattern that the inputs repeat, so that the manifest stays small. */
  readonly patterns?: Readonly<Record<string, readonly number[]>>
}

/** Largest number by size; outputs need not be probabilities. */
function largest ({ data }: TensorValue): number {
  return (data as readonly (number | bigint | Uint8Array)[]).reduce<number>((found, value) => Math.max(found, typeof value === 'number' ? Math.abs(value) || 0 : 0), 0)
}

/**
 * Largest difference of a probability that is still the same model: float32 gives some 1e-6, a GPU's TF32 or XLA's order of sums some 1e-3.
 */
const GOLDEN_TOLERANCE = 0.01

/** Stripes that run over the rows' ends, so that rows differ; a photo's bytes would make the manifest large. */
export function goldenImage (input: string, { height, width, channels }: { readonly height: number, readonly width: number, readonly channels: number }): GoldenInput {
  const pattern = Array.from({ length: 997 }, (_, index) => (index * 37 + (index >> 3) * 11) % 256)
  const data = Uint8Array.from({ length: height * width * channels }, (_, index) => pattern[index % pattern.length]!)
  return { inputs: { [input]: { dtype: 'uint8', shape: [1, height, width, channels], data } }, patterns: { [input]: pattern } }
}

/** Runs inputs through the model that is exported, and notes what it gives. */
export async function recordGolden (predictor: Predictor, golden: readonly GoldenInput[]): Promise<NonNullable<VersionManifest['golden']>> {
  const recorded: NonNullable<VersionManifest['golden']> = []
  for (const { inputs, patterns = {} } of golden) {
    const outputs = await predict(predictor, inputs)
    recorded.push({
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, value]) => {
        const pattern = patterns[name]
        return [name, pattern === undefined ? toGoldenTensor(value) : { dtype: value.dtype, shape: [...value.shape], data: [...pattern], repeat: true as const }]
      })),
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, toGoldenTensor(value)])),
      tolerance: GOLDEN_TOLERANCE * Math.max(1, ...Object.values(outputs).map(largest))
    })
  }
  return recorded
}
