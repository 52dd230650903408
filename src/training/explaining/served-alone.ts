import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError } from '../../errors.ts'
import type { Models } from '../../prediction/models.ts'
import { loadVersion } from '../../registry/load-version.ts'
import type { ModelVersion } from '../../registry/model-version.ts'

/** A model that one program alone uses, without a server: for the predictors that serve. */
export interface ServedAlone {
  readonly version: ModelVersion
  readonly models: Models
  dispose (): Promise<void>
}

/**
 * Loads the newest version of a model, or one of them, with all checks of a server.
 *
 * @throws BadOptionError if there is no such version
 * @throws BadSavedModelError, BadManifestError, GoldenMismatchError as `loadVersion`
 */
export async function serveAlone (modelsDir: string, model: string, number: number | undefined): Promise<ServedAlone> {
  const names = await readdir(join(modelsDir, model)).catch(() => [])
  const numbers = names.filter(name => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b)
  const chosen = number ?? numbers.at(-1)
  if (chosen === undefined || !numbers.includes(chosen)) throw new BadOptionError(`There is no version ${number ?? ''} of "${model}" in ${modelsDir}; there are: ${numbers.join(', ') || 'none'}`.replace('  ', ' '))
  const folder = names.find(name => Number(name) === chosen)!
  const loaded = await loadVersion(join(modelsDir, model, folder), { signal: new AbortController().signal, onWarming: () => {} })
  const version: ModelVersion = {
    model,
    version: chosen,
    directory: loaded.directory,
    manifest: loaded.manifest,
    signatures: loaded.signatures,
    state: 'available',
    run: async (signature, inputs, { outputs } = {}) => {
      const startedAt = performance.now()
      return { outputs: await loaded.run(signature, inputs, outputs), queueMs: 0, inferMs: performance.now() - startedAt }
    }
  }
  return {
    version,
    models: { acquire: () => ({ version, release: () => {} }), list: () => [{ name: model, task: version.manifest.task }], isReady: () => true },
    dispose: async () => { await loaded.dispose() }
  }
}
