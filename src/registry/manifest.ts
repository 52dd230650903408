import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { BadManifestError } from '../errors.ts'

/** A tensor as JSON: `data` flat and row-major; strings as base64, 64-bit integers as decimal strings, NaN and infinities by name. */
const GoldenTensorSchema = Type.Object({
  dtype: Type.String(),
  shape: Type.Array(Type.Integer({ minimum: 0 })),
  data: Type.Array(Type.Union([Type.Number(), Type.String(), Type.Boolean()])),
  repeat: Type.Optional(Type.Literal(true, { description: 'data is a pattern, repeated until the tensor is full' }))
})

/** How a photo becomes the model's pixels. Training and serving read the same contract. */
export const ImageContractSchema = Type.Object({
  width: Type.Integer({ minimum: 1, maximum: 8192, description: 'pixels' }),
  height: Type.Integer({ minimum: 1, maximum: 8192, description: 'pixels' }),
  channels: Type.Union([Type.Literal(1), Type.Literal(3)], { description: '1: grey, 3: RGB' }),
  fit: Type.Union([Type.Literal('fill'), Type.Literal('cover'), Type.Literal('contain')], {
    description: 'fill: stretch; cover: keep the shape, cut what hangs over at the centre; contain: keep the shape, pad with `background`'
  }),
  cropFraction: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'with cover: share of the shorter side that is kept (0.875 for 224 out of 256)' })),
  kernel: Type.Union([
    Type.Literal('nearest'), Type.Literal('linear'), Type.Literal('cubic'), Type.Literal('mitchell'), Type.Literal('lanczos2'), Type.Literal('lanczos3')
  ], { description: 'resize kernel, by sharp\'s names' }),
  background: Type.Optional(Type.Tuple([Type.Integer({ minimum: 0, maximum: 255 }), Type.Integer({ minimum: 0, maximum: 255 }), Type.Integer({ minimum: 0, maximum: 255 })], { description: 'RGB behind transparency and around `contain`; black if left out' })),
  scaling: Type.Union([
    Type.Object({ where: Type.Literal('graph') }, { description: 'the model takes uint8 0–255 and scales inside' }),
    Type.Object({
      where: Type.Literal('host'),
      mean: Type.Array(Type.Number(), { minItems: 1, maxItems: 3 }),
      deviation: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 1, maxItems: 3 })
    }, { description: 'the server gives floats: (pixel − mean) ÷ deviation, pixel 0–255, one number or one for each channel' })
  ])
})
export type ImageContract = Static<typeof ImageContractSchema>

const Side = Type.Union([Type.Literal('start'), Type.Literal('end')])

/** How a text becomes the model's token numbers. */
export const TextContractSchema = Type.Object({
  tokenizer: Type.Union([
    Type.Object({
      kind: Type.Literal('text-vectorization'),
      vocabulary: Type.String({ description: 'file in the version\'s directory, one token a line; line 0 is number 2 (0 pads, 1 is unknown), as in Keras' }),
      standardize: Type.Union([Type.Literal('none'), Type.Literal('lower'), Type.Literal('strip-punctuation'), Type.Literal('lower-and-strip-punctuation')]),
      split: Type.Union([Type.Literal('whitespace'), Type.Literal('character'), Type.Literal('none')]),
      ngrams: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, description: 'longest run of tokens that counts as a token of its own, as in Keras' }))
    }),
    Type.Object({
      kind: Type.Literal('wordpiece'),
      vocabulary: Type.String({ description: 'BERT\'s vocab.txt in the version\'s directory' }),
      lowercase: Type.Boolean()
    }),
    Type.Object({
      kind: Type.Literal('hugging-face'),
      file: Type.String({ description: 'tokenizer.json in the version\'s directory' })
    })
  ]),
  length: Type.Integer({ minimum: 1, maximum: 65536, description: 'tokens that the model sees; longer is cut, shorter padded' }),
  padding: Side,
  truncation: Side,
  padTo: Type.Optional(Type.Union([Type.Literal('length'), Type.Literal('longest')], { description: 'longest: to the next power of two, from 16 to `length`; for models with a free length' })),
  inputs: Type.Object({
    ids: Type.String({ description: 'the signature\'s input for token numbers' }),
    mask: Type.Optional(Type.String({ description: 'input for 1 at tokens, 0 at padding' })),
    types: Type.Optional(Type.String({ description: 'input for segment numbers, all 0' }))
  })
})
export type TextContract = Static<typeof TextContractSchema>

/** How TensorFlow runs a version, where its maker or its operator knows better than what is measured; it goes before the server's own settings. */
export const EngineOptionsSchema = Type.Object({
  threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024, description: 'TensorFlow threads inside one operation, in place of `INTRA_OP_THREADS`' })),
  runsInFlight: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'runs at once, in place of `RUN_CONCURRENCY`' })),
  xla: Type.Optional(Type.Union([Type.Boolean(), Type.Literal('auto')], { description: 'compile the graph with XLA or not, in place of `XLA`; auto: what measures better' })),
  precision: Type.Optional(Type.Union([Type.Literal('float32'), Type.Literal('bfloat16')], {
    description: 'bfloat16: products of matrices and convolutions with 8 bits of mantissa on a CPU that can (AVX-512, AMX); answers change in the third digit, which `golden` has to allow for'
  }))
})
export type EngineOptions = Static<typeof EngineOptionsSchema>

/** What a version says of itself: `model.json` beside its SavedModel, or beside all versions for a foreign one. */
export const ManifestSchema = Type.Object({
  format: Type.Literal(1),
  task: Type.Union([Type.Literal('image-classification'), Type.Literal('text-classification'), Type.Literal('tensor')]),
  signature: Type.Optional(Type.String({ minLength: 1, description: 'default `serving_default`' })),
  input: Type.Optional(Type.String({ minLength: 1, description: 'the signature\'s image input; default its only one' })),
  output: Type.Optional(Type.String({ minLength: 1, description: 'the signature\'s output to rank; default its only one' })),
  activation: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('softmax'), Type.Literal('sigmoid')], {
    description: 'what the output still needs to be probabilities; none: it is already. An output of one number is the probability of class 1'
  })),
  labels: Type.Optional(Type.Array(Type.String(), { description: 'class names by number' })),
  image: Type.Optional(ImageContractSchema),
  text: Type.Optional(TextContractSchema),
  batchSizes: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }))),
  engine: Type.Optional(EngineOptionsSchema),
  training: Type.Optional(Type.Object({
    recipe: Type.String(),
    settings: Type.Record(Type.String(), Type.Unknown()),
    seed: Type.Integer(),
    metrics: Type.Record(Type.String(), Type.Number()),
    createdAt: Type.String(),
    command: Type.Optional(Type.String()),
    origin: Type.Optional(Type.String({ description: 'where data or weights came from, with their licence' }))
  })),
  golden: Type.Optional(Type.Array(Type.Object({
    inputs: Type.Record(Type.String(), GoldenTensorSchema),
    outputs: Type.Record(Type.String(), GoldenTensorSchema),
    tolerance: Type.Number({ minimum: 0, description: 'largest absolute difference' })
  }))),
  files: Type.Optional(Type.Record(Type.String(), Type.String({ pattern: '^[0-9a-f]{64}$' }), { description: 'SHA-256 of every other file' }))
}, { additionalProperties: false })

export type Manifest = Static<typeof ManifestSchema>
export type GoldenTensor = Static<typeof GoldenTensorSchema>

const validator = Compile(ManifestSchema)

/** @throws BadManifestError if the text is not JSON or breaks the schema; the message names the field */
export function parseManifest (path: string, text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new BadManifestError(path, `is not JSON: ${(error as Error).message}`)
  }
  if (validator.Check(value)) return value
  const [first] = validator.Errors(value)
  throw new BadManifestError(path, `${first?.instancePath === '' ? 'the whole' : first?.instancePath} ${first?.message}`)
}
