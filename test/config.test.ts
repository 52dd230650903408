import t from 'tap'
import { ConfigSchema, loadConfig } from '../src/config.ts'

t.test('without any variable every setting has its default', async t => {
  const config = loadConfig({})
  t.match(config, { HOST: '0.0.0.0', PORT: 8501, MODELS_DIR: 'models', VERSION_POLICY: 'latest:1', XLA: 'off', LOG_LEVEL: 'info' })
  t.strictSame(Object.keys(config).sort(), Object.keys(ConfigSchema.properties).sort())
})

t.test('variables are read as the numbers and words they are', async t => {
  t.match(loadConfig({ PORT: '0', BODY_LIMIT_BYTES: '2048', MODELS_DIR: '/m', XLA: 'on', LOG_LEVEL: 'silent' }), { PORT: 0, BODY_LIMIT_BYTES: 2048, MODELS_DIR: '/m', XLA: 'on', LOG_LEVEL: 'silent' })
})

t.test('variables of other programs are left out', async t => {
  t.notOk('PATH' in loadConfig({ PATH: '/bin' }))
})

t.test('a variable out of its bounds is refused by name', async t => {
  for (const [name, value] of [['PORT', '65536'], ['PORT', 'http'], ['PORT', '-1'], ['PORT', '80.5'], ['BODY_LIMIT_BYTES', '10'], ['MODELS_DIR', ''], ['LOG_LEVEL', 'loud'], ['XLA', 'yes'], ['MAX_FILES', '0'], ['REQUEST_TIMEOUT_MS', '1e99']] as const) {
    t.throws(() => loadConfig({ [name]: value }), { code: 'CONFIG_INVALID', message: new RegExp(`^Configuration: env/${name} `) }, `${name}=${value}`)
  }
})

t.test('the configuration can not be changed', async t => {
  const config = loadConfig({})
  t.throws(() => { (config as { PORT: number }).PORT = 1 }, TypeError)
})

t.test('every setting says what it is and has a default', async t => {
  for (const [name, schema] of Object.entries(ConfigSchema.properties)) {
    const { description, default: fallback } = schema as { description?: string, default?: unknown }
    t.ok(description !== undefined && fallback !== undefined, name)
  }
})
