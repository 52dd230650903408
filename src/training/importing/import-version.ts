import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { exportVersion, type ExportedVersion, type VersionManifest } from '../export.ts'
import { recordGolden } from '../golden-inputs.ts'
import { closePredictor, savePredictor } from '../predictor.ts'
import type { ImportRequest } from './command-line.ts'
import { formatName, openModelFile, type ModelFile } from './formats.ts'
import { readGraphModel } from './graph-model.ts'
import { readModel } from './import-model.ts'
import { fromLayers, type ImportedModel } from './imported-model.ts'
import { madeUpInputs } from './made-up-input.ts'
import { planImport, VOCABULARY_FILE } from './purpose.ts'

export interface ImportOptions extends ImportRequest {
  /** How the user asked for this; goes into the manifest. */
  readonly command: string
  /** Told what is done, a line at a time. */
  readonly say: (line: string) => void
}

/**
 * Adds a version made of a model by others to the models folder, whole or not at all.
 *
 * @throws BadOptionError, BadModelFileError, CannotImportError as `importModel`
 * @throws LoweringError if a layer can't be turned into TensorFlow's operations
 */
export async function importVersion (options: ImportOptions): Promise<ExportedVersion> {
  const { path, modelsDir, model: name, purpose, say } = options
  const file = await openModelFile(path)
  const imported = await openImported(file)
  const plan = planImport(imported.shape, purpose)
  say(`Read ${path}: a ${formatName(file)} with ${imported.weights.toLocaleString('en')} weights, for ${plan.manifest.task}`)
  for (const note of plan.notes) say(note)
  const predictor = await imported.toPredictor(plan.inputTypes)
  try {
    const exported = await exportVersion(modelsDir, name, async directory => {
      await savePredictor(directory, predictor)
      if (plan.manifest.text !== undefined) await writeVocabulary(directory, purpose.vocabulary ?? [])
      return { ...plan.manifest, training: origin(file, options), golden: await recordGolden(predictor, madeUpInputs(predictor, imported.shape)) }
    })
    say(`Exported ${exported.directory}`)
    return exported
  } finally {
    await closePredictor(predictor)
  }
}

/** @throws as `importModel` */
export async function openImported (file: ModelFile): Promise<ImportedModel> {
  return file.kind === 'graph-model' ? await readGraphModel(file.path, file.json) : fromLayers(await readModel(file))
}

async function writeVocabulary (directory: string, tokens: readonly string[]): Promise<void> {
  const path = join(directory, VOCABULARY_FILE)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${tokens.join('\n')}\n`)
}

function origin (file: ModelFile, { command }: ImportOptions): NonNullable<VersionManifest['training']> {
  return {
    recipe: 'import',
    settings: {},
    seed: 0,
    metrics: {},
    createdAt: new Date().toISOString(),
    command,
    origin: `Imported from ${basename(resolve(file.path))}, a ${formatName(file)}`
  }
}
