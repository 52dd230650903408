import { join } from 'node:path'
import { ROOT } from './places.ts'
import type { ServerOptions } from './server-process.ts'

/** The real server, as `npm start` starts it. @param env settings that differ from the defaults */
export function tensorport (modelsDirectory: string, logPath: string, env: Record<string, string> = {}): ServerOptions {
  return { path: join(ROOT, 'dist', 'main.js'), env: { MODELS_DIR: modelsDirectory, ...env }, readyPath: '/health/ready', logPath }
}
