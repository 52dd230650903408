import { join } from 'node:path'
import type { Config } from '../config.ts'
import { loadVersion } from '../registry/load-version.ts'
import { scanModels, type FoundModel } from '../registry/scan.ts'
import { choose, parseVersionPolicies, type VersionPolicies } from '../registry/version-policy.ts'
import { messageOf, SETUP_REMEDY, type Finding } from './finding.ts'

/**
 * Every version that a server would serve, loaded as a server would: files, variables, recorded inputs, a first run.
 * The library must be open. One version is in memory at a time.
 */
export async function * checkModels ({ MODELS_DIR: directory, VERSION_POLICY: policy }: Config): AsyncGenerator<Finding> {
  const scan = await scanModels(directory, { previous: new Map(), now: Date.now(), restMs: 0 })
  if (scan.kind === 'unreadable') {
    yield { status: 'failed', subject: 'models', found: `${directory} can not be read: ${scan.reason}`, remedy: `${SETUP_REMEDY}, or set MODELS_DIR to a folder of <name>/<number>/ SavedModels` }
    return
  }
  for (const warning of scan.warnings) yield { status: 'warning', subject: 'models', found: warning }
  const policies = parseVersionPolicies(policy)
  const versions = scan.models.flatMap(model => chosenVersions(model, policies))
  if (versions.length === 0) yield { status: 'failed', subject: 'models', found: `${directory} holds no version to serve`, remedy: `${SETUP_REMEDY}, or put a SavedModel into ${join(directory, '<name>', '1')}` }
  for (const version of versions) yield await checkVersion(version)
}

interface ChosenVersion { readonly name: string, readonly directory: string }

function chosenVersions ({ name, versions, refused }: FoundModel, { fallback, models }: VersionPolicies): ChosenVersion[] {
  const chosen = choose(models.get(name) ?? fallback, versions.map(({ version }) => version))
  const usable = versions.filter(({ version }) => chosen.includes(version)).map(({ folder, directory }) => ({ name: `${name}/${folder}`, directory }))
  return refused.length === 0 ? usable : usable.filter(({ name }) => !refused.some(({ folder }) => name.endsWith(`/${folder}`)))
}

async function checkVersion ({ name, directory }: ChosenVersion): Promise<Finding> {
  try {
    const loaded = await loadVersion(directory, { signal: new AbortController().signal, onWarming: () => {} })
    const { manifest: { task }, devices, signatures, notes } = loaded
    await loaded.dispose()
    const found = [`${name}: ${task}, ${Object.keys(signatures).join(', ')}, on ${devices.join(', ')}`, ...notes].join('\n')
    return { status: 'ok', subject: 'model', found }
  } catch (error) {
    return { status: 'failed', subject: 'model', found: `${name}: ${messageOf(error)}`, remedy: `replace or remove ${directory}` }
  }
}
