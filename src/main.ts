#!/usr/bin/env node
import cluster from 'node:cluster'
import { setFlagsFromString } from 'node:v8'
import { loadConfig, type Config } from './config.ts'
import { end, EXIT_BAD_CONFIG } from './end.ts'
import { createLog } from './log.ts'
import { parseVersionPolicies, type VersionPolicies } from './registry/version-policy.ts'
import { runPrimary } from './workers/primary.ts'
import { thisWorker } from './workers/this-worker.ts'

/**
 * How much the heap may grow, in percent, before V8 walks all of it. Bodies of requests count: with V8's own measure, on a heap of 30 MB, four hundred photos a second had
 * it walked twice a second, for some 20 ms of the event loop each time.
 */
const HEAP_GROWING_PERCENT = 200

setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`)
const { config, policies } = readConfig()
const worker = thisWorker()
const log = createLog({ level: config.LOG_LEVEL, base: worker === undefined ? null : { worker: worker.id } })

if (config.WORKERS > 1 && cluster.isPrimary) {
  runPrimary({ workers: config.WORKERS, env: process.env, log })
} else {
  // A process that only watches over others has no use for what serving needs. TensorFlow is opened while the rest is read.
  const { preloadLibrary } = await import('./tensorflow/index.ts')
  const preloaded = preloadLibrary()
  const { serve } = await import('./serve.ts')
  await serve({ config, policies, log, worker, preloaded })
}

/** Ends the process with what is wrong with the environment, before anything is opened. */
function readConfig (): { config: Config, policies: VersionPolicies } {
  try {
    const config = loadConfig(process.env)
    return { config, policies: parseVersionPolicies(config.VERSION_POLICY) }
  } catch (error) {
    return end((error as Error).message, EXIT_BAD_CONFIG)
  }
}
