import { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import type { DescribedModels } from '../../src/http/models.ts'
import { tokenizerCache } from '../../src/prediction/tokenizers.ts'
import { freeAdmission, freeReservation } from '../../src/batching/admission.ts'
import type { Manifest } from '../../src/registry/manifest.ts'
import { ModelRegistry } from '../../src/registry/model-registry.ts'
import type { ModelVersion } from '../../src/registry/model-version.ts'
import { buildServer, type Server, type ServerDependencies } from '../../src/server.ts'
import type { Signature, TensorInfo } from '../../src/tensorflow/index.ts'
import { createTokenizer } from '../../src/text/index.ts'
import { newDecoder } from './images.ts'
import { until } from './registry.ts'

/** A line of the log, parsed. */
export type LogLine = Record<string, unknown>

export interface TestServer {
  readonly app: Server
  readonly log: LogLine[]
}

export type ServerChanges = Partial<ServerDependencies> & {
  /** Settings that differ from the defaults, as the environment gives them. */
  readonly env?: Record<string, string>
}

/** The whole server on these models, closed at the end of the test. */
export async function newServer (t: Test, models: DescribedModels, { env = {}, ...changes }: ServerChanges = {}): Promise<TestServer> {
  const log: LogLine[] = []
  const stream = new Writable({
    write (line: Buffer, _encoding, done) {
      log.push(JSON.parse(line.toString()) as LogLine)
      done()
    }
  })
  const app = await buildServer({
    config: loadConfig(env),
    models,
    decoder: newDecoder(),
    tokenizerOf: tokenizerCache(createTokenizer),
    log: pino({ level: 'info', base: null }, stream),
    ...changes
  })
  t.teardown(async () => { await app.close() })
  return { app, log }
}

/** A server over a folder of real SavedModels, when all of them are loaded. */
export async function serveFolder (t: Test, directory: string, changes: ServerChanges = {}): Promise<TestServer & { models: ModelRegistry }> {
  const models = new ModelRegistry({ directory, pollMs: 50 })
  const server = await newServer(t, models, changes)
  t.teardown(async () => { await models.close() })
  await models.start()
  await until('all models are loaded', () => models.isReady())
  return { ...server, models }
}

/** No model, and none to come or all still to come. */
export function noModels (isReady: boolean): DescribedModels {
  const models = new ModelRegistry({ directory: '/nowhere' })
  return { acquire: (model, version) => models.acquire(model, version), find: (model, version) => models.find(model, version), offers: () => [], list: () => [], describe: model => models.describe(model), isReady: () => isReady }
}

/** One version of one model whose runs the test answers. */
export function fakeModels (version: Partial<ModelVersion> & Pick<ModelVersion, 'run' | 'signatures'>): DescribedModels & { found: number, released: number, acquired: number } {
  const manifest: Manifest = { format: 1, task: 'tensor', signature: 'serving_default' }
  const served: ModelVersion = { model: 'fake', version: 1, directory: '/nowhere', manifest, state: 'available', isBatched: () => false, admit: () => freeAdmission(0), reserve: freeReservation, ...version }
  const models = {
    found: 0,
    acquired: 0,
    released: 0,
    acquire () {
      models.acquired += 1
      return { version: served, release: () => { models.released += 1 } }
    },
    find () {
      models.found += 1
      return served
    },
    offers: () => [{ name: served.model, task: served.manifest.task }],
    list: () => [models.describe()],
    describe: () => ({ name: served.model, task: served.manifest.task, policy: 'latest:1', versions: [] }),
    isReady: () => true
  }
  return models
}

/** A signature `serving_default` of these inputs and outputs, each as [type, shape]. */
export function fakeSignature (inputs: Record<string, [TensorInfo['dtype'], number[]]>, outputs: Record<string, [TensorInfo['dtype'], number[]]>): Record<string, Signature> {
  const infos = (tensors: typeof inputs): Record<string, TensorInfo> => Object.fromEntries(
    Object.entries(tensors).map(([name, [dtype, shape]]) => [name, { tensorName: `${name}:0`, dtype, shape }]))
  return { serving_default: { name: 'serving_default', method: 'tensorflow/serving/predict', inputs: infos(inputs), outputs: infos(outputs), changesState: false } }
}
