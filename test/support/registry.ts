import { cp, mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { ModelRegistry, type RegistryOptions } from '../../src/registry/model-registry.ts'
import type { RunResult } from '../../src/batching/run-request.ts'
import type { RunOptions, VersionStatus } from '../../src/registry/model-version.ts'
import type { TensorValue } from '../../src/tensorflow/index.ts'

/** Milliseconds between scans in tests: short, and long enough that a busy machine still writes a tiny model between two. */
const POLL_MS = 50

/** A registry that has scanned once, closed at the end of the test. */
export async function startRegistry (t: Test, options: RegistryOptions): Promise<ModelRegistry> {
  const registry = new ModelRegistry({ pollMs: POLL_MS, ...options })
  t.teardown(async () => { await registry.close() })
  await registry.start()
  return registry
}

/** Waits until something is so. @throws after 30 s, saying what it waited for */
export async function until (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!await isSo()) {
    if (performance.now() > deadline) throw new Error(`Waited 30 s for: ${what}`)
    await sleep(5)
  }
}

/** One version's status, the newest entry of its number. */
export function versionStatus (registry: ModelRegistry, model: string, version: number): VersionStatus | undefined {
  return registry.list().find(({ name }) => name === model)?.versions.find(status => status.version === version)
}

export async function untilState (registry: ModelRegistry, model: string, version: number, state: VersionStatus['state'] | undefined): Promise<void> {
  await until(`${model}/${version} is ${state ?? 'gone'}`, () => versionStatus(registry, model, version)?.state === state)
}

/** Puts a directory where a model's version belongs, all at once. */
export async function place (source: string, target: string): Promise<void> {
  const aside = join(dirname(target), `.aside-${process.hrtime.bigint()}`)
  await mkdir(dirname(target), { recursive: true })
  await cp(source, aside, { recursive: true })
  await rename(aside, target)
}

/** One request: a handle for as long as it runs. */
export async function request (registry: ModelRegistry, model: string, inputs: Record<string, TensorValue>, options: RunOptions & { version?: number, signature?: string } = {}): Promise<RunResult> {
  const { version, signature = 'serving_default', ...rest } = options
  const handle = registry.acquire(model, version)
  try {
    return await handle.version.run(signature, inputs, rest)
  } finally {
    handle.release()
  }
}
