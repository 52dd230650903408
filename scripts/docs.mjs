// Writes the pages that are made from the code: docs/configuration.md, docs/errors.md, docs/layers.md and docs/manifest.md.
// `npm run docs` writes them, `npm run docs -- --check` fails where a page differs from what it would write.
import { readFileSync, writeFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const { ConfigSchema } = await import(new URL('dist/config.js', root).href)
const { ManifestSchema } = await import(new URL('dist/registry/manifest.js', root).href)

const { tf } = await import(new URL('dist/training/tf.js', root).href)
const { loweredLayers } = await import(new URL('dist/training/lowering/registry.js', root).href)

const pages = {
  'docs/configuration.md': configurationPage(ConfigSchema.properties),
  'docs/layers.md': layersPage(new Set(loweredLayers()), readFileSync(new URL('src/recipes/attention-layer.ts', root), 'utf8')),
  'docs/manifest.md': manifestPage(ManifestSchema),
  'docs/errors.md': errorsPage(readFileSync(new URL('src/errors.ts', root), 'utf8'))
}

const check = process.argv.includes('--check')
let stale = 0
for (const [path, text] of Object.entries(pages)) {
  const url = new URL(path, root)
  if (!check) {
    writeFileSync(url, text)
    console.log(`wrote ${path}`)
  } else if (read(url) !== text) {
    stale++
    console.error(`${path} is not what the code says: run \`npm run docs\``)
  }
}
process.exitCode = stale > 0 ? 1 : 0

function read (url) {
  try {
    return readFileSync(url, 'utf8')
  } catch {
    return ''
  }
}

function configurationPage (properties) {
  const rows = Object.entries(properties).map(([name, schema]) =>
    `| \`${name}\` | ${schema.default === '' ? '–' : `\`${schema.default}\``} | ${allowed(schema)} | ${cell(schema.description)} |`)
  return `# Settings

Every setting is an environment variable, read once and checked at start; a value out of bounds ends the start with exit code 2 and a
message that names it. Besides these, \`LIBTENSORFLOW\` (path of libtensorflow), \`TENSORFLOW_VARIANT\` (\`cpu\` or \`gpu\`) and
\`UV_THREADPOOL_SIZE\` count. This page is generated from \`src/config.ts\` by \`npm run docs\`.

| variable | default | allowed | what |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function allowed (schema) {
  if (schema.anyOf) return schema.anyOf.map(({ const: value }) => `\`${value}\``).join(', ')
  if (schema.enum) return schema.enum.map(value => `\`${value}\``).join(', ')
  if (schema.type === 'string') return 'text'
  const { minimum, maximum } = schema
  return maximum === undefined ? `≥ ${minimum}` : `${minimum} – ${maximum}`
}

function manifestPage (schema) {
  return `# The manifest

\`model.json\` says what a version is for: how a photo or a text becomes the model's input, and what its outputs are called. It lies in the version's
directory, \`models/<name>/<n>/model.json\`, or beside all versions of a model that others made, \`models/<name>/model.json\`. A model without one is
served all the same: through the tensor routes, and through \`/predict/image\` if its only input is [N, height, width, 1 or 3]. This page is
generated from \`src/registry/manifest.ts\` by \`npm run docs\`.

For a Keras model that takes 224×224 photos in −1…1 and was saved with ten classes:

\`\`\`json
{
  "format": 1,
  "task": "image-classification",
  "labels": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
  "image": {
    "width": 224, "height": 224, "channels": 3,
    "fit": "cover", "kernel": "linear",
    "scaling": { "where": "host", "mean": [127.5], "deviation": [127.5] }
  }
}
\`\`\`

| field | | allowed | what |
| --- | --- | --- | --- |
${fields(schema, '').join('\n')}
`
}

/** One row a field; a choice of objects is told field by field behind the word that chooses. */
function fields ({ properties, required = [] }, path) {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const at = path === '' ? name : `${path}.${name}`
    const row = `| \`${at}\` | ${required.includes(name) ? 'required' : ''} | ${kind(schema)} | ${cell(schema.description)} |`
    const objects = schema.anyOf?.filter(choice => choice.properties) ?? []
    if (objects.length > 0) return [row, ...objects.flatMap(choice => fields(choice, `${at}(${chosenBy(choice)})`))]
    if (schema.properties) return [row, ...fields(schema, at)]
    if (schema.items?.properties) return [row, ...fields(schema.items, `${at}[]`)]
    return [row]
  })
}

function chosenBy ({ properties }) {
  return Object.values(properties).find(schema => schema.const !== undefined)?.const ?? ''
}

function kind (schema) {
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.anyOf) return schema.anyOf.map(choice => choice.properties ? `\`${chosenBy(choice)}\`` : kind(choice)).join(', ')
  if (schema.type === 'integer' || schema.type === 'number') return range(schema)
  if (schema.type === 'array') return Array.isArray(schema.items) ? `${schema.items.length} values` : 'list'
  return { string: 'text', boolean: 'true, false', object: 'object' }[schema.type] ?? ''
}

function range ({ minimum, exclusiveMinimum, maximum }) {
  const least = exclusiveMinimum === undefined ? minimum === undefined ? 'number' : `≥ ${minimum}` : `> ${exclusiveMinimum}`
  return maximum === undefined ? least : `${least}, ≤ ${maximum}`
}

/** Every class that TensorFlow.js registers as a layer. */
function layersPage (lowered, attentionLayer) {
  const classes = Object.entries(tf.serialization.SerializationMap.getMap().classNameMap)
    .filter(([, [type]]) => type.prototype instanceof tf.layers.Layer)
    .map(([name]) => name)
    .sort()
  const notes = {
    CategoryEncoding: '`multiHot`, `oneHot`, `count`, `int`; not `tfIdf`',
    CenterCrop: 'pictures of a fixed size',
    Conv2DTranspose: 'pictures of a fixed size',
    Conv3D: 'no dilation',
    Conv3DTranspose: 'no dilation; volumes of a fixed size',
    ConvLSTM2D: 'pictures of a fixed size, channels last, no dilation',
    ConvLSTM2DCell: '`convLstm2d` has it',
    DepthwiseConv2D: 'no dilation: `tf.layers` does not heed it itself',
    LSTM: 'on TensorFlow\'s fused kernel where `recurrentActivation` is `sigmoid`; step by step, and exact, where it is `hardSigmoid`, the default',
    RandomWidth: '`tf.layers` itself can not build a sequential model of it; take the augmentations `zoom` and `shift`',
    UpSampling2D: 'pictures of a fixed size'
  }
  const isCell = name => name.endsWith('Cell') || name === 'StackedRNNCells'
  const isModel = name => ['Functional', 'InputLayer', 'Model', 'Sequential'].includes(name)
  const refused = new Set(['ConvLSTM2DCell', 'RandomWidth'])
  const rows = classes.map(name => {
    const answer = refused.has(name) ? 'no' : lowered.has(name) || isModel(name) ? 'yes' : isCell(name) ? 'within `rnn`' : 'no'
    return `| \`${name}\` | ${answer} | ${notes[name] ?? ''} |`
  })
  return `# Layers

A \`tf.layers\` model is lowered: each use of a layer becomes TensorFlow operations, once to train and once to predict, over the same variables.
A test compares each with \`tf.layers\`: outputs within 1e-5, gradients within 1e-4 (\`test/training/lowering\`). A layer that is not lowered, or an option of
one, ends with an error that names it and says what to take. Regularizers count in the loss; constraints are applied after each step. This
page is generated by \`npm run docs\`.

| class | lowered | |
| --- | --- | --- |
${rows.join('\n')}

## A layer of your own

A custom \`tf.layers.Layer\` brings its lowering: \`registerLowering(className, lower)\`, called once where the class is defined. \`lower\` is given the layer's
inputs, options, weights and a scope to put operations into, and returns its outputs; gradients follow by themselves. Operations are named and
take the inputs and attributes that TensorFlow's documentation of raw operations gives. This is the one of the recipe \`attention\`
(\`src/recipes/attention-layer.ts\`):

\`\`\`ts
${attentionLayer.trim()}
\`\`\`

In a test, \`compareLowering(t, model)\` (\`test/support/compare-lowering.ts\`) compares a model that has the layer with what the layer's own \`call\` gives,
gradients too.
`
}

function errorsPage (source) {
  const pattern = /(?:\/\*\* ([^\n]*?) \*\/\n)?export const \w+ = createError<[^\n]*?>\(\s*'(\w+)',\s*'((?:[^'\\]|\\.)*)',\s*(\d+)(?:, Error, WITHOUT_STACK)?\)/g
  const rows = [...source.matchAll(pattern)].map(([, comment = '', code, message, status]) => `| \`${code}\` | ${status} | ${cell(message.replaceAll('\\n', ' ').replaceAll("\\'", "'"))} | ${cell(comment)} |`)
  const declared = source.match(/= createError</g)?.length ?? 0
  if (rows.length !== declared) throw new Error(`Read ${rows.length} errors of the ${declared} in src/errors.ts. This is a bug.`)
  return `# Errors

Every error reply is \`{"error": message, "code": code, "requestId": id}\`. The code is the contract: it never changes its meaning. The
message says what was found and what is allowed, and may change. This page is generated from \`src/errors.ts\` by \`npm run docs\`.

| code | status | message | when |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell (text = '') {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
