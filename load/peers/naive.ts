import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { programPath, ROOT } from '../places.ts'
import { SkipError } from '../scenario.ts'
import type { Peer } from './peer.ts'

const ADDON = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node')

/** naive-server.ts: Fastify, sharp and tfjs-node. */
export const naive: Peer = {
  name: 'naive server',
  async prepare ({ context, model }) {
    if (!existsSync(ADDON)) throw new SkipError('the addon of tfjs-node-gpu is not built (`npm run setup -- --for test` builds it where a compiler is)')
    return { options: { path: programPath('naive-server'), env: { MODEL_DIRECTORY: model.versionDirectory }, readyPath: '/health/ready', logPath: join(context.scratch, 'naive.log') } }
  }
}
