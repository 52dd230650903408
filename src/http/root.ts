import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

export interface RootOptions {
  /** Of tensorport. */
  readonly version: string
}

const LINKS = {
  models: '/v1/models',
  image: '/predict/image',
  text: '/predict/text',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics'
}

/** For whoever finds the port and wonders what it is. */
export const rootRoute: FastifyPluginAsyncTypebox<RootOptions> = async (app, { version }) => {
  app.get('/', async () => ({ name: 'tensorport', version, links: LINKS }))
}
