import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelCopy } from './models.ts'
import { programPath, ROOT } from './places.ts'
import type { ServerOptions } from './server-process.ts'

const ADDON = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node')

/** How to start naive-server.ts for a model, or why it can't be. */
export function naiveServer ({ versionDirectory }: ModelCopy, logPath: string): { options: ServerOptions } | { reason: string } {
  if (!existsSync(ADDON)) return { reason: 'the addon of tfjs-node-gpu is not built (`npm run setup -- --for test` builds it where a compiler is)' }
  return { options: { path: programPath('naive-server'), env: { MODEL_DIRECTORY: versionDirectory }, readyPath: '/health/ready', logPath } }
}
