import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { api } from './library.ts'
import type { Pointer } from './c-api.ts'
import { checked } from './status.ts'
import { ConfigProtoSchema, type ConfigProto_GraphOptionsSchema as GraphOptionsSchema } from './proto/tensorflow_pb.js'

/** How TensorFlow runs a session. Everything left out is TensorFlow's own choice. */
export interface SessionOptions {
  /**
   * Threads inside one operation, the one that runs it included; left out, as many as the machine has cores. Every session has a pool of its own, which
   * goes with it. Needs the environment variable TF_OVERRIDE_GLOBAL_THREADPOOL, which `loadLibrary` sets: without it the first session's number
   * would hold for the whole process.
   */
  intraOpThreads?: number
  /**
   * Threads between operations; negative: none, a run stays on the thread that it was started on. Where one of the two numbers is given, and this one is not
   * negative, the session has a pool of its own, else it shares one.
   */
  interOpThreads?: number
  /** Multiply matrices and convolve in bfloat16, where TensorFlow has such kernels for the processor; all else stays in float32. */
  bfloat16?: boolean
  /** Compile what XLA can. The first run of each batch size then takes 0.6–18 s. */
  xla?: boolean
  /**
   * Go through the graph once when it is optimized, not twice, and do not plan its memory: TensorFlow copies all constants dozens of times over
   * meanwhile, for 80 MB of them in 4.3 s, so in 2.4 s.
   */
  hasLargeConstants?: boolean
  /**
   * Believe that what is fed has the shape that the graph states for it, which is then for the caller to see to. TensorFlow knows more of the shapes within so: where
   * it finds a sum to be of two equal ones, the convolution before it does it along.
   */
  trustsShapes?: boolean
  /** Let operations do along what comes after them, as a convolution its activation; default true. */
  remaps?: boolean
  /** Take GPU memory as needed, not all at once; default true. */
  gpuMemoryGrowth?: boolean
  /** MiB of memory on each GPU. */
  gpuMemoryLimitMib?: number
  /** GPUs by number, as `0,1`; empty for none. */
  visibleGpus?: string
}

/** A TF_SessionOptions, of the caller to free with TF_DeleteSessionOptions. */
export function newSessionOptions (options: SessionOptions): Pointer {
  const c = api()
  const pointer = c.TF_NewSessionOptions()
  const config = configProto(options)
  checked(status => { c.TF_SetConfig(pointer, config, config.byteLength, status) })
  return pointer
}

/** As a ConfigProto message. */
export function configProto (options: SessionOptions): Uint8Array {
  const { intraOpThreads = 0, interOpThreads = 0, gpuMemoryGrowth = true, gpuMemoryLimitMib, visibleGpus } = options
  const limited = gpuMemoryLimitMib !== undefined && gpuMemoryLimitMib > 0
  return toBinary(ConfigProtoSchema, create(ConfigProtoSchema, {
    intraOpParallelismThreads: intraOpThreads,
    interOpParallelismThreads: interOpThreads,
    usePerSessionThreads: interOpThreads >= 0 && intraOpThreads + interOpThreads > 0,
    allowSoftPlacement: true,
    deviceCount: visibleGpus === '' ? { GPU: 0 } : {},
    gpuOptions: {
      // A fixed limit reserves the memory at once, so TensorFlow refuses both together.
      allowGrowth: gpuMemoryGrowth && !limited,
      visibleDeviceList: visibleGpus ?? '',
      ...(limited && { experimental: { virtualDevices: [{ memoryLimitMb: [gpuMemoryLimitMib] }] } })
    },
    graphOptions: graphOptions(options)
  }))
}

function graphOptions ({ xla = false, bfloat16 = false, hasLargeConstants = false, trustsShapes = false, remaps = true }: SessionOptions): MessageInitShape<typeof GraphOptionsSchema> {
  return {
    optimizerOptions: { globalJitLevel: xla ? 1 : 0 },
    rewriteOptions: {
      ...(hasLargeConstants && { memoryOptimization: 1, metaOptimizerIterations: 1 }),
      ...(trustsShapes && { remapping: 3 }),
      ...(!remaps && { remapping: 2 }),
      ...(bfloat16 && { autoMixedPrecisionOnednnBfloat16: 1 })
    }
  }
}
