import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { differenceFrom, fromGoldenTensor } from '../../src/registry/golden.ts'
import { parseManifest, type Manifest } from '../../src/registry/manifest.ts'
import { loadSavedModel } from '../../src/tensorflow/index.ts'
import { runRecipe } from './run-recipe.ts'

export interface TrainedVersion {
  readonly directory: string
  readonly manifest: Manifest
  readonly out: string
}

/**
 * Runs a recipe as a user would, and checks what holds for every version: the manifest is one, and the SavedModel gives the golden outputs when it is
 * loaded again.
 *
 * @param argv recipe and options, without `--models`
 */
export async function trainVersion (t: Test, models: string, argv: readonly string[]): Promise<TrainedVersion> {
  const { code, out, err } = await runRecipe([...argv, '--models', models, '--name', 'trained'])
  t.equal(code, 0, err)
  const directory = join(models, 'trained', '1')
  const path = join(directory, 'model.json')
  const manifest = parseManifest(path, await readFile(path, 'utf8'))
  const loaded = await loadSavedModel(directory)
  t.strictSame(await loaded.missingVariables(), [])
  t.ok((manifest.golden ?? []).length > 0, 'there are golden inputs')
  for (const { inputs, outputs, tolerance } of manifest.golden ?? []) {
    const found = await loaded.run('serving_default', Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, fromGoldenTensor(path, name, value)])))
    for (const [name, value] of Object.entries(outputs)) t.equal(differenceFrom(fromGoldenTensor(path, name, value), found[name]!, tolerance), undefined)
  }
  await loaded.dispose()
  return { directory, manifest, out }
}
