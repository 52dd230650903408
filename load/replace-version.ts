import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ModelCopy } from './models.ts'
import type { LoadContext } from './scenario.ts'

const POLL_MS = 25
const AVAILABLE_TIMEOUT_MS = 60_000

export interface Replacement {
  /** Of the server. */
  url: string
  modelsDirectory: string
  /** On the same file system as `modelsDirectory`. */
  scratch: string
  model: string
  /** The new version's number; the one before is removed once the new one serves. */
  version: number
  /** A SavedModel, copied. */
  source: string
}

/** Lays a new version beside the old one at once, as the training command does, waits until it serves, and removes the old one. @throws Error if it is refused */
export async function replaceVersion ({ url, modelsDirectory, scratch, model, version, source }: Replacement): Promise<void> {
  const aside = join(scratch, 'aside', `${model}-${version}`)
  await mkdir(join(scratch, 'aside'), { recursive: true })
  await cp(source, aside, { recursive: true })
  await rename(aside, join(modelsDirectory, model, String(version)))
  await becomeAvailable(url, model, version)
  await rm(join(modelsDirectory, model, String(version - 1)), { recursive: true })
}

export interface Replacements {
  /** Versions that came to serve. */
  count: () => number
  /** Goes on, from the version where it was, until aborted. */
  until: (over: AbortSignal) => Promise<void>
}

/** Lays down a copy of a model's version every few milliseconds, its number one higher each time. @param everyMs from one that serves to the next */
export function replaceAgainAndAgain ({ scratch }: Pick<LoadContext, 'scratch'>, { url }: Pick<Replacement, 'url'>, { modelsDirectory, versionDirectory }: ModelCopy, model: string, everyMs: number): Replacements {
  let version = 1
  return {
    count: () => version - 1,
    async until (over) {
      while (!over.aborted) {
        const source = version === 1 ? versionDirectory : join(modelsDirectory, model, String(version))
        await replaceVersion({ url, modelsDirectory, scratch, model, version: ++version, source })
        await sleep(everyMs, undefined, { signal: over }).catch(() => {})
      }
    }
  }
}

interface ModelStatus {
  model_version_status: { version: string, state: string, status: { error_message: string } }[]
}

async function becomeAvailable (url: string, model: string, version: number): Promise<void> {
  const deadline = performance.now() + AVAILABLE_TIMEOUT_MS
  while (performance.now() < deadline) {
    const reply = await (await fetch(`${url}/v1/models/${model}`)).json() as ModelStatus
    const found = reply.model_version_status.find(status => status.version === String(version))
    if (found?.state === 'AVAILABLE') return
    if (found?.state === 'END') throw new Error(`Version ${version} of ${model} was refused: ${found.status.error_message}`)
    await sleep(POLL_MS)
  }
  throw new Error(`Version ${version} of ${model} did not serve within ${AVAILABLE_TIMEOUT_MS} ms`)
}
