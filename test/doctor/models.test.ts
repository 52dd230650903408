import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { checkLibrary, tensorflowDevices } from '../../src/doctor/check-library.ts'
import { checkModels } from '../../src/doctor/check-models.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { writeHalfPlusTwo } from '../support/saved-models.ts'

async function findings (env: Record<string, string>): Promise<Finding[]> {
  const all: Finding[] = []
  for await (const finding of checkModels(loadConfig(env))) all.push(finding)
  return all
}

t.test('opens the library and asks it for its version and devices', async t => {
  t.match(checkLibrary(process.env), { finding: { status: 'ok', subject: 'libtensorflow', found: /^2\.21\.0, \// } })
  t.ok((await tensorflowDevices()).includes('CPU'))
})

t.test('loads what a server would load', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  await writeHalfPlusTwo(join(directory, 'half', '2'))
  t.match(await findings({ MODELS_DIR: directory }), [{ status: 'ok', subject: 'model', found: /^half\/2: tensor, serving_default, on .*CPU:0/ }])
  t.match((await findings({ MODELS_DIR: directory, VERSION_POLICY: 'all' })).map(({ found }) => found.split(':')[0]), ['half/1', 'half/2'])
})

t.test('says of a version that can not be served what is wrong', async t => {
  const directory = t.testdir({ broken: { 1: { 'saved_model.pb': 'no' } } })
  await writeHalfPlusTwo(join(directory, 'half', '1'))
  await rm(join(directory, 'half', '1', 'variables'), { recursive: true })
  t.match(await findings({ MODELS_DIR: directory }), [
    { status: 'failed', found: /^broken\/1: SavedModel .*broken\/1: / },
    { status: 'failed', found: /^half\/1: .*variables/, remedy: `replace or remove ${join(directory, 'half', '1')}` }
  ])
})

t.test('a folder with no version, or none at all, can not be served from', async t => {
  t.match(await findings({ MODELS_DIR: t.testdir({ 'README.md': '' }) }), [{ status: 'failed', found: /holds no version/, remedy: /npm run setup/ }])
  t.match(await findings({ MODELS_DIR: join(t.testdirName, 'none') }), [{ status: 'failed', found: /can not be read/ }])
})
