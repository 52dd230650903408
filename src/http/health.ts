import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { NoModelError, ShuttingDownError } from '../errors.ts'

export interface HealthOptions {
  readonly isReady: () => boolean
  readonly isDraining: () => boolean
}

/** `live`: the process answers. `ready`: send it requests. */
export const healthRoutes: FastifyPluginAsyncTypebox<HealthOptions> = async (app, { isReady, isDraining }) => {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async () => {
    if (isDraining()) throw new ShuttingDownError()
    if (!isReady()) throw new NoModelError('models are still being loaded, or none is there')
    return { status: 'ready' }
  })
}
