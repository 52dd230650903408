import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { end, EXIT_FAILED } from './end.ts'
import { createImageDecoder } from './image/index.ts'
import { tokenizerCache, type TokenizerOf } from './prediction/tokenizers.ts'
import { ModelRegistry } from './registry/model-registry.ts'
import type { VersionPolicies } from './registry/version-policy.ts'
import { BACKLOG, buildServer, type Server } from './server.ts'
import { favourEventLoop, loadLibrary, useTensorFloat32 } from './tensorflow/index.ts'
import { createTokenizer } from './text/index.ts'
import type { ThisWorker } from './workers/this-worker.ts'

const READY_POLL_MS = 20
/** A worker that has no models answers too, as the others do who have none. */
const READY_PATIENCE_MS = 30_000

export interface ServeOptions {
  readonly config: Config
  readonly policies: VersionPolicies
  readonly log: Logger
  /** Where this process is one of several. */
  readonly worker: ThisWorker | undefined
  /** Resolves when TensorFlow's files are open; the process is not ended before. */
  readonly preloaded: Promise<void>
}

/** Builds the server, listens, loads the models, and closes with grace on a signal. A worker beside others listens last. */
export async function serve ({ config, policies, log, worker, preloaded }: ServeOptions): Promise<void> {
  const tokenizerOf = tokenizerCache(createTokenizer)
  const tellGpus = gpuTeller(worker, log)
  const models: ModelRegistry = newRegistry({ config, policies, log, tokenizerOf, onAvailable: model => { tellGpus(gpusOf(models, model)) } })
  const decoder = createImageDecoder({
    maxPixels: config.MAX_IMAGE_PIXELS,
    concurrency: config.DECODE_CONCURRENCY,
    timeoutMs: config.DECODE_TIMEOUT_MS
  })
  const server = await buildServer({ config, models, decoder, tokenizerOf, log, exchange: worker?.exchange })
  closeOnSignals({ server, models, log, timeoutMs: config.SHUTDOWN_TIMEOUT_MS, endsAtSecond: worker === undefined })
  const isFirst = worker?.hasCompany !== true
  if (isFirst) await listen(server, config, preloaded)
  await preloaded
  openLibrary(config)
  if (isFirst) worker?.tellServing()
  await models.start()
  if (isFirst) return
  await untilReady(models)
  await listen(server, config, preloaded)
  worker.tellServing()
}

interface RegistryParts extends Pick<ServeOptions, 'config' | 'policies' | 'log'> {
  readonly tokenizerOf: TokenizerOf
  readonly onAvailable: (model: string) => void
}

function newRegistry ({ config, policies, log, tokenizerOf, onAvailable }: RegistryParts): ModelRegistry {
  return new ModelRegistry({
    directory: config.MODELS_DIR,
    pollMs: config.MODELS_POLL_MS,
    policies,
    runConcurrency: config.RUN_CONCURRENCY,
    maxQueue: config.MAX_QUEUE,
    maxQueueMs: config.MAX_QUEUE_MS,
    maxBatchRows: config.BATCH_MAX_ROWS,
    maxBatchDelayMs: config.BATCH_MAX_DELAY_MS,
    triesXla: config.XLA === 'auto',
    session: {
      intraOpThreads: config.INTRA_OP_THREADS,
      interOpThreads: config.INTER_OP_THREADS,
      xla: config.XLA === 'on',
      gpuMemoryLimitMib: config.GPU_MEMORY_LIMIT_MIB
    },
    prepare: async version => { if (version.manifest.text !== undefined) await tokenizerOf(version) },
    onVersionState: ({ model, state }) => {
      if (state !== 'available') return
      favourEventLoop(config.THREAD_NICENESS) // not while the first is loaded, which nobody waits beside; each brings threads of its own
      onAvailable(model)
    },
    log
  })
}

/** As long as the first models take; where none can be loaded, a while. */
async function untilReady (models: ModelRegistry): Promise<void> {
  const until = performance.now() + READY_PATIENCE_MS
  while (!models.isReady() && performance.now() < until) await sleep(READY_POLL_MS)
}

/** The port is open before TensorFlow is: a health check gets its answer, a prediction its 503 with `Retry-After`. */
async function listen (server: Server, { HOST, PORT }: Config, preloaded: Promise<void>): Promise<void> {
  try {
    await server.listen({ host: HOST, port: PORT, backlog: BACKLOG, listenTextResolver: address => `listening on ${address}` })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    await preloaded
    end(code === 'EADDRINUSE' ? `Port ${PORT} of ${HOST} is in use by another program; set PORT to a free one` : `Can not listen on ${HOST}:${PORT}: ${message}`, EXIT_FAILED)
  }
}

function openLibrary ({ TF32 }: Config): void {
  try {
    loadLibrary()
    if (TF32 === 'off') useTensorFloat32(false)
  } catch (error) {
    end((error as Error).message, EXIT_FAILED)
  }
}

function gpusOf (models: ModelRegistry, model: string): number {
  return new Set(models.describe(model).versions.flatMap(({ devices }) => devices.filter(device => device.startsWith('GPU')))).size
}

/** TensorFlow takes the first GPU for all of a graph. @returns takes the number of GPUs that a model's session sees, and tells of them once */
function gpuTeller (worker: ThisWorker | undefined, log: Logger): (gpus: number) => void {
  let isTold = false
  return gpus => {
    if (isTold || gpus === 0) return
    isTold = true
    if (worker !== undefined) worker.tellGpu()
    else if (gpus > 1) log.warn({ gpus }, `models run on the first GPU only: WORKERS=${gpus} has a process for each`)
  }
}

interface CloseOptions {
  readonly server: Server
  readonly models: ModelRegistry
  readonly log: Logger
  readonly timeoutMs: number
  /** Not in a worker: a terminal and a service manager signal every process themselves, and the primary hands the same signal on. */
  readonly endsAtSecond: boolean
}

/** The first SIGTERM or SIGINT lets requests in flight finish, for a while; the second ends the process at once. */
function closeOnSignals ({ server, models, log, timeoutMs, endsAtSecond }: CloseOptions): void {
  let isClosing = false
  const close = (signal: string): void => {
    if (isClosing && endsAtSecond) process.exit(EXIT_FAILED)
    if (isClosing) return
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
