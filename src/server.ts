import { readFileSync } from 'node:fs'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { acceptSideBySide } from './http/acceptors.ts'
import { limitBodies } from './http/body-limit.ts'
import { clientErrorHandler } from './http/client-errors.ts'
import { createDirectReplies, type DirectReplies } from './http/direct-replies.ts'
import { addErrorReplies, replyWithError } from './http/error-replies.ts'
import { healthRoutes } from './http/health.ts'
import { watchMethods } from './http/method-not-allowed.ts'
import { metricsRoute } from './http/metrics.ts'
import { modelsRoutes, type DescribedModels } from './http/models.ts'
import { addHeaders, beginTrace, observeRequests, type ObserveOptions } from './http/observe.ts'
import { predictImageRoute } from './http/predict-image.ts'
import { predictTensorsRoute } from './http/predict-tensors.ts'
import { predictTextRoute } from './http/predict-text.ts'
import { requestId } from './http/request-id.ts'
import { rootRoute } from './http/root.ts'
import { closeUnusedConnections } from './http/unused-connections.ts'
import { pixelsToPng, scalePixels, type ImageDecoder } from './image/index.ts'
import { createMetrics } from './metrics.ts'
import type { DefaultModel } from './prediction/choose-model.ts'
import { createDoor } from './prediction/door.ts'
import { createImagePredictor } from './prediction/predict-image.ts'
import { createTensorPredictor } from './prediction/predict-tensors.ts'
import { createTextPredictor } from './prediction/predict-text.ts'
import type { TokenizerOf } from './prediction/tokenizers.ts'
import { duplicateDescriptor } from './tensorflow/index.ts'
import type { FiguresExchange } from './workers/figures-exchange.ts'

export type Server = FastifyInstance
export { BACKLOG } from './http/acceptors.ts'

export interface ServerDependencies {
  readonly config: Config
  readonly models: DescribedModels
  readonly decoder: ImageDecoder
  readonly tokenizerOf: TokenizerOf
  readonly log: Logger
  /** Where this server is one of several. */
  readonly exchange?: FiguresExchange | undefined
}

/** Longest name of a file, and so of a model. */
const MAX_NAME_LENGTH = 255
/** Milliseconds that an unused connection is kept; longer than the minute that balancers keep theirs. */
const KEEP_ALIVE_MS = 72_000

/**
 * The whole HTTP side: every route and hook, not listening yet. `close` lets what is in flight finish, with `Connection: close` on each
 * reply, and refuses new connections.
 */
export async function buildServer (dependencies: ServerDependencies): Promise<Server> {
  const { config, models, decoder, log } = dependencies
  const loggerInstance: FastifyBaseLogger = log
  const metrics = createMetrics({ models: () => models.list(), pendingDecodes: () => decoder.pending, exchange: dependencies.exchange })
  models.watch?.({ onRun: metrics.observeRun, onReject: (model, error) => { metrics.observeRejection(model, (error as Error & { code: string }).code) } })
  let isDraining = false
  const observed: ObserveOptions = {
    metrics,
    connections: { open: new WeakMap(), refused: new WeakMap() },
    isDraining: () => isDraining
  }
  const limits = { bodyLimitBytes: config.BODY_LIMIT_BYTES, maxFiles: config.MAX_FILES }
  const app: FastifyInstance = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: logger => logger, // a request's one line names it by itself
    genReqId: requestId,
    bodyLimit: config.BODY_LIMIT_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
    http: {
      requireHostHeader: false, // Node would answer without a body, an id or a line in the log
      headersTimeout: config.REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(config.REQUEST_TIMEOUT_MS / 4, 5000)
    },
    clientErrorHandler: clientErrorHandler({ ...observed, log, requestTimeoutMs: config.REQUEST_TIMEOUT_MS }),
    frameworkErrors: (error, request, reply) => {
      beginTrace(request, reply, observed)
      addHeaders(request, reply, observed)
      replyWithError(error, request, reply, limits)
    }
  })
  app.addHook('preClose', async () => { isDraining = true })
  acceptSideBySide(app, duplicateDescriptor)
  closeUnusedConnections(app)
  observeRequests(app, observed)
  addErrorReplies(app, limits)
  limitBodies(app, config.BODY_LIMIT_BYTES)
  const refuseOtherMethods = watchMethods(app)
  await app.register(rootRoute, { version: readVersion() })
  await app.register(healthRoutes, { isReady: () => models.isReady(), isDraining: observed.isDraining })
  await app.register(metricsRoute, { metrics })
  await app.register(modelsRoutes, { models })
  await addPredictionRoutes(app, dependencies, createDirectReplies(observed.isDraining))
  refuseOtherMethods()
  return app
}

async function addPredictionRoutes (app: FastifyInstance, { config, models, decoder, tokenizerOf }: ServerDependencies, replies: DirectReplies): Promise<void> {
  const timeoutMs = config.REQUEST_TIMEOUT_MS
  const forImages: DefaultModel = { task: 'image-classification', configured: config.DEFAULT_IMAGE_MODEL, wellKnown: 'imagenet' }
  const forTexts: DefaultModel = { task: 'text-classification', configured: config.DEFAULT_TEXT_MODEL, wellKnown: 'sentiment' }
  await app.register(predictTensorsRoute, { predictTensors: createTensorPredictor(models), door: createDoor(models), replies, timeoutMs })
  await app.register(predictImageRoute, {
    predictImages: createImagePredictor({
      models,
      decoder,
      scale: scalePixels,
      toPng: pixelsToPng,
      fallback: forImages
    }),
    door: createDoor(models, forImages),
    replies,
    timeoutMs,
    bodyLimitBytes: config.BODY_LIMIT_BYTES,
    maxFiles: config.MAX_FILES
  })
  await app.register(predictTextRoute, {
    predictTexts: createTextPredictor({
      models,
      tokenizerOf,
      fallback: forTexts
    }),
    door: createDoor(models, forTexts),
    replies,
    timeoutMs,
    maxRows: config.MAX_ROWS
  })
}

/** From package.json, which lies above both src/ and dist/. */
function readVersion (): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
