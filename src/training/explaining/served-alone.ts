import { freeAdmission, freeReservation } from '../../batching/admission.ts'
import { BadOptionError } from '../../errors.ts'
import type { Models } from '../../prediction/models.ts'
import { loadVersion } from '../../registry/load-version.ts'
import type { ModelVersion } from '../../registry/model-version.ts'
import { existingVersions } from '../export.ts'

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
  const versions = await existingVersions(modelsDir, model)
  const chosen = number === undefined ? versions.at(-1) : versions.find(({ version }) => version === number)
  if (chosen === undefined) throw new BadOptionError(`There is no version ${number === undefined ? '' : `${number} `}of "${model}" in ${modelsDir}; there are: ${versions.map(({ version }) => version).join(', ') || 'none'}`)
  const loaded = await loadVersion(chosen.directory, { signal: new AbortController().signal, onWarming: () => {} })
  const version: ModelVersion = {
    model,
    version: chosen.version,
    directory: loaded.directory,
    manifest: loaded.manifest,
    signatures: loaded.signatures,
    state: 'available',
    isBatched: () => false,
    admit: () => freeAdmission(performance.now()),
    reserve: freeReservation,
    run: async (signature, inputs, { outputs } = {}) => {
      const startedAt = performance.now()
      return { outputs: await loaded.run(signature, inputs, outputs), queueMs: 0, inferMs: performance.now() - startedAt }
    }
  }
  return {
    version,
    models: { acquire: () => ({ version, release: () => {} }), find: () => version, offers: () => [{ name: model, task: version.manifest.task }], isReady: () => true },
    dispose: async () => { await loaded.dispose() }
  }
}
