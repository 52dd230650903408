import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import { MethodNotAllowedError, VersionNotFoundError } from '../errors.ts'
import { withVersion, type Models } from '../prediction/models.ts'
import type { RunWatch } from '../registry/model-registry.ts'
import type { ModelStatus } from '../registry/served-model.ts'
import { metadataReply, statusReply } from './model-status.ts'
import { labelsUnsupported } from './predict-tensors.ts'
import { parseVersion } from './prediction-query.ts'

/** What these routes need of the registry. */
export interface DescribedModels extends Models {
  /** Everything that there is to say of each. */
  list (): ModelStatus[]
  /** @throws ModelNotFoundError */
  describe (model: string): ModelStatus
  /** Tells of runs, for metrics. */
  watch? (watch: RunWatch): void
}

export interface ModelsRoutesOptions {
  readonly models: DescribedModels
}

const ModelParams = Type.Object({ model: Type.String() })
const VersionParams = Type.Object({ model: Type.String(), version: Type.String() })

/** What is served, and how it is: `GET /v1/models` and, as TensorFlow Serving has them, a model's status and metadata. */
export const modelsRoutes: FastifyPluginAsyncTypebox<ModelsRoutesOptions> = async (app, { models }) => {
  const metadata = async (model: string, version?: number): Promise<object> =>
    await withVersion(models, model, version, async served => metadataReply(served))

  app.get('/v1/models', async () => ({ models: models.list() }))
  app.get('/v1/models/:model', { schema: { params: ModelParams } }, async ({ params: { model }, method }, reply) => {
    refuseVerb(model, method, reply)
    return statusReply(models.describe(model))
  })
  app.get('/v1/models/:model/metadata', { schema: { params: ModelParams } }, async ({ params }) => await metadata(params.model))
  app.get('/v1/models/:model/versions/:version', { schema: { params: VersionParams } }, async ({ params: { model, version }, method }, reply) => {
    refuseVerb(version, method, reply)
    return versionStatus(models.describe(model), parseVersion(version))
  })
  app.get('/v1/models/:model/versions/:version/metadata', { schema: { params: VersionParams } }, async ({ params }) =>
    await metadata(params.model, parseVersion(params.version)))
  app.get('/v1/models/:model/labels/:label', async () => { throw labelsUnsupported() })
}

/** @throws VersionNotFoundError */
function versionStatus (status: ModelStatus, wanted: number): object {
  const versions = status.versions.filter(({ version }) => version === wanted)
  if (versions.length === 0) throw new VersionNotFoundError(wanted, status.name, status.versions.map(({ version }) => version).join(', ') || 'none')
  return statusReply(status, versions)
}

/** `…:predict` is for POST. */
function refuseVerb (part: string, method: string, reply: FastifyReply): void {
  if (!/:[a-z]+$/.test(part)) return
  reply.header('allow', 'POST')
  throw new MethodNotAllowedError(method, part.slice(-40), 'POST')
}
