import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import tf from '@tensorflow/tfjs'
import { loadLibrary, preferOneDnn } from '../tensorflow/index.ts'
import { repairLayers } from './layer-repairs.ts'

/**
 * The one place that `tf` comes from. Models are defined with it and get their first weights from it; training itself runs in
 * TensorFlow's graph. Where the addon of `@tensorflow/tfjs-node-gpu` is built, its backend is used, otherwise the pure JavaScript one
 * of the same API: what is trained does not depend on it.
 */
export { tf }

const require = createRequire(import.meta.url)

tf.env().set('PROD', true) // no advice on the console to install tfjs-node
repairLayers(tf)

preferOneDnn()
openAddon()

/** tfjs-node registers its backend with the same `tf`. On Node 23 and later it loads but can not run: it calls functions that Node dropped. */
function openAddon (): void {
  try {
    const directory = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'))
    if (!existsSync(join(directory, 'lib/napi-v8/tfjs_binding.node')) || !sharesLibrary(directory)) return
    withoutArguments(() => { require('@tensorflow/tfjs-node-gpu') })
    tf.add(1, 1).dispose()
  } catch {
    if (tf.findBackendFactory('tensorflow') != null) tf.removeBackend('tensorflow')
  }
}

/** What tfjs-node finds its addon with reads the command line as if it were its own: `--dir` would send it elsewhere. */
function withoutArguments (action: () => void): void {
  const { argv } = process
  process.argv = argv.slice(0, 2)
  try {
    action()
  } finally {
    process.argv = argv
  }
}

/** Whether the addon is linked to the very file that is open here: two copies of libtensorflow in one process abort it. */
function sharesLibrary (directory: string): boolean {
  return realpathSync(join(directory, 'deps/lib/libtensorflow.so.2')) === realpathSync(loadLibrary().path)
}
