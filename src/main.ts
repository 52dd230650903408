#!/usr/bin/env node
import { pino, type Logger } from 'pino'
import { loadConfig, type Config } from './config.ts'
import { createImageDecoder } from './image/index.ts'
import { tokenizerCache } from './prediction/tokenizers.ts'
import { ModelRegistry } from './registry/model-registry.ts'
import { parseVersionPolicies, type VersionPolicies } from './registry/version-policy.ts'
import { buildServer, type Server } from './server.ts'
import { loadLibrary } from './tensorflow/index.ts'
import { createTokenizer } from './text/index.ts'

const EXIT_FAILED = 1
const EXIT_BAD_CONFIG = 2

const { config, policies } = readConfig()
const log = pino({ level: config.LOG_LEVEL, base: null })
const tokenizerOf = tokenizerCache(createTokenizer)
const models = newRegistry(config, policies, log)
const decoder = createImageDecoder({
  maxPixels: config.MAX_IMAGE_PIXELS,
  concurrency: config.DECODE_CONCURRENCY,
  timeoutMs: config.DECODE_TIMEOUT_MS
})
const server = await buildServer({ config, models, decoder, tokenizerOf, log })
closeOnSignals(server, models, config.SHUTDOWN_TIMEOUT_MS)
await listen(server, config)
await serveModels(models)

/** Ends the process with what is wrong with the environment, before anything is opened. */
function readConfig (): { config: Config, policies: VersionPolicies } {
  try {
    const config = loadConfig(process.env)
    return { config, policies: parseVersionPolicies(config.VERSION_POLICY) }
  } catch (error) {
    return end((error as Error).message, EXIT_BAD_CONFIG)
  }
}

function newRegistry (config: Config, policies: VersionPolicies, log: Logger): ModelRegistry {
  return new ModelRegistry({
    directory: config.MODELS_DIR,
    pollMs: config.MODELS_POLL_MS,
    policies,
    runConcurrency: config.RUN_CONCURRENCY,
    maxQueue: config.MAX_QUEUE,
    maxQueueMs: config.MAX_QUEUE_MS,
    maxBatchRows: config.BATCH_MAX_ROWS,
    maxBatchDelayMs: config.BATCH_MAX_DELAY_MS,
    session: {
      intraOpThreads: config.INTRA_OP_THREADS,
      interOpThreads: config.INTER_OP_THREADS,
      xla: config.XLA === 'on',
      gpuMemoryLimitMib: config.GPU_MEMORY_LIMIT_MIB
    },
    prepare: async version => { if (version.manifest.text !== undefined) await tokenizerOf(version) },
    log
  })
}

/** The port is open before TensorFlow is: a health check gets its answer, a prediction its 503 with `Retry-After`. */
async function listen (server: Server, { HOST, PORT }: Config): Promise<void> {
  try {
    await server.listen({ host: HOST, port: PORT, listenTextResolver: address => `listening on ${address}` })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    end(code === 'EADDRINUSE' ? `Port ${PORT} of ${HOST} is in use by another program; set PORT to a free one` : `Can not listen on ${HOST}:${PORT}: ${message}`, EXIT_FAILED)
  }
}

async function serveModels (models: ModelRegistry): Promise<void> {
  try {
    loadLibrary()
  } catch (error) {
    end((error as Error).message, EXIT_FAILED)
  }
  await models.start()
}

/** The first SIGTERM or SIGINT lets requests in flight finish, for a while; the second ends the process at once. */
function closeOnSignals (server: Server, models: ModelRegistry, timeoutMs: number): void {
  let isClosing = false
  const close = (signal: string): void => {
    if (isClosing) process.exit(EXIT_FAILED)
    isClosing = true
    log.info({ signal }, 'closing: requests in flight are finished')
    setTimeout(() => {
      log.warn({ timeoutMs }, 'closed with requests in flight: SHUTDOWN_TIMEOUT_MS is over')
      process.exit(0)
    }, timeoutMs)
    server.close().then(async () => { await models.close() }).then(() => process.exit(0), (error: unknown) => {
      log.error({ err: error }, 'could not close in order')
      process.exit(EXIT_FAILED)
    })
  }
  process.on('SIGTERM', close)
  process.on('SIGINT', close)
}

function end (message: string, exitCode: number): never {
  process.stderr.write(`tensorport: ${message}\n`)
  process.exit(exitCode)
}
