import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { api } from './library.ts'
import { cacheDirectory } from './locate.ts'
import { checked, TensorFlowError } from './status.ts'

const SOURCES = fileURLToPath(new URL('./kernels/', import.meta.url))

/** Where Linux, and Linux under Windows, show that there is a driver for a GPU. */
const GPU_DRIVERS = ['/proc/driver/nvidia/version', '/dev/dxg']

let areOpen: boolean | undefined
let hasGpuDriver: boolean | undefined

/**
 * Whether graphs may hold the operations of `kernels/`, which the first call opens: the set-up has to have built them, the machine must have no
 * GPU, for which they have no kernels, and `TENSORPORT_CUSTOM_OPERATIONS` must not be `off` (`avx2` and `baseline` keep them from newer
 * instructions that the processor has). Not for graphs that are written to a file: TensorFlow elsewhere lacks them.
 *
 * @param onCpu whether the graph's session is shown no GPU anyway
 */
export function hasCustomOperations ({ onCpu = false, env = process.env }: { onCpu?: boolean, env?: NodeJS.ProcessEnv } = {}): boolean {
  if (env['TENSORPORT_CUSTOM_OPERATIONS'] === 'off') return false
  // Devices are not asked for: the first session that is made decides how the process uses its GPUs.
  hasGpuDriver ??= GPU_DRIVERS.some(existsSync)
  if (!onCpu && hasGpuDriver) return false
  areOpen ??= open(libraryPath(env))
  return areOpen
}

/** By what the sources hold: each clone finds what its own set-up built. */
function libraryPath (env: NodeJS.ProcessEnv): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(SOURCES).sort()) hash.update(`${name}\0`).update(readFileSync(join(SOURCES, name)))
  return join(cacheDirectory(env), `kernels-${process.platform}-${process.arch}-${hash.digest('hex').slice(0, 16)}`, 'libtensorport_kernels.so')
}

/** What TensorFlow can not open graphs do without. */
function open (path: string): boolean {
  if (!existsSync(path)) return false
  try {
    checked(status => api().TF_LoadLibrary(path, status))
    return true
  } catch (error) {
    if (error instanceof TensorFlowError) return false
    throw error
  }
}
