import { SETUP_REMEDY, type Finding } from './finding.ts'

/** What `nvidia-smi` says of a GPU. */
export interface Gpu {
  name: string
  driver: string
  memory: string
  /** As 9.0; NaN where the driver is too old to tell. */
  computeCapability: number
}

export const GPU_QUERY = ['--query-gpu=name,driver_version,memory.total,compute_cap', '--format=csv,noheader']

/** The kernels of TensorFlow's GPU wheel begin here. */
const LEAST_CAPABILITY = 6
/** The oldest driver that runs CUDA 12. */
const LEAST_DRIVER = 525

/** @param output of `nvidia-smi` with `GPU_QUERY`; undefined if it is not there or fails */
export function parseGpus (output: string | undefined): Gpu[] {
  const lines = (output ?? '').split('\n').filter(line => line.trim() !== '')
  return lines.map(line => {
    const [name = '', driver = '', memory = '', capability = ''] = line.split(',').map(cell => cell.trim())
    return { name, driver, memory, computeCapability: Number(capability || NaN) }
  })
}

/**
 * @param devices that TensorFlow sees; undefined if it could not be asked
 * @param libraryPath tells whether the CPU or the GPU build is in use
 */
export function checkGpus (gpus: readonly Gpu[], devices: readonly string[] | undefined, libraryPath = ''): Finding[] {
  if (gpus.length === 0) return [{ status: 'ok', subject: 'GPU', found: 'none; TensorFlow runs on the CPU' }]
  const findings = gpus.map(checkGpu)
  if (devices === undefined || devices.includes('GPU')) return findings
  const remedy = /-cpu-[^/]*\/lib\//.test(libraryPath) ? `TENSORFLOW_VARIANT=gpu ${SETUP_REMEDY}` : 'TF_CPP_MIN_LOG_LEVEL=0 npm run doctor, whose log names the library that TensorFlow misses'
  return [...findings, { status: 'warning', subject: 'GPU', found: 'TensorFlow does not use it: it runs on the CPU', remedy }]
}

function checkGpu ({ name, driver, memory, computeCapability }: Gpu): Finding {
  const found = `${name}, ${memory}, compute capability ${Number.isNaN(computeCapability) ? 'unknown' : computeCapability.toFixed(1)}, driver ${driver}`
  if (Number.parseInt(driver) < LEAST_DRIVER) return { status: 'warning', subject: 'GPU', found, remedy: `update NVIDIA's driver: CUDA 12 needs ${LEAST_DRIVER} or newer` }
  if (computeCapability < LEAST_CAPABILITY) return { status: 'warning', subject: 'GPU', found, remedy: `TensorFlow needs compute capability ${LEAST_CAPABILITY}.0: TENSORFLOW_VARIANT=cpu uses the CPU` }
  return { status: 'ok', subject: 'GPU', found }
}
