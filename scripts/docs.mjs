// Writes the pages that are made from the code: docs/configuration.md, docs/errors.md and docs/manifest.md.
// `npm run docs` writes them, `npm run docs -- --check` fails where a page differs from what it would write.
import { readFileSync, writeFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const { ConfigSchema } = await import(new URL('dist/config.js', root).href)
const { ManifestSchema } = await import(new URL('dist/registry/manifest.js', root).href)

const pages = {
  'docs/configuration.md': configurationPage(ConfigSchema.properties),
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

function errorsPage (source) {
  const pattern = /(?:\/\*\* ([^\n]*?) \*\/\n)?export const \w+ = createError<[^\n]*?>\(\s*'(\w+)',\s*'((?:[^'\\]|\\.)*)',\s*(\d+)\)/g
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
