import { envSchema } from 'env-schema'
import Type, { type Static } from 'typebox'
import { BadConfigError } from './errors.ts'

const MIB = 1024 * 1024
/** Timers hold no more than 24 days; a day is more than any of these needs. */
const DAY_MS = 86_400_000

/** Every setting: its type, default, bounds and unit. docs/configuration.md is generated from this. */
export const ConfigSchema = Type.Object({
  HOST: Type.String({ default: '0.0.0.0', description: 'address to listen on' }),
  PORT: Type.Integer({ default: 8501, minimum: 0, maximum: 65535, description: 'port to listen on; 0 takes a free one' }),
  WORKERS: Type.Integer({ default: 1, minimum: 1, maximum: 256, description: 'server processes behind the port, each with all models in memory; they share the cores where DECODE_CONCURRENCY, RUN_CONCURRENCY and INTRA_OP_THREADS are 0, and each has one of the GPUs' }),
  MODELS_DIR: Type.String({ default: 'models', minLength: 1, description: 'folder of <name>/<version>/ SavedModels' }),
  MODELS_POLL_MS: Type.Integer({ default: 1000, minimum: 50, maximum: 3_600_000, description: 'milliseconds between two scans of MODELS_DIR' }),
  DEFAULT_IMAGE_MODEL: Type.String({ default: '', description: 'model of /predict/image when the request names none; else `imagenet`, else the only image model' }),
  DEFAULT_TEXT_MODEL: Type.String({ default: '', description: 'model of /predict/text when the request names none; else `sentiment`, else the only text model' }),
  VERSION_POLICY: Type.String({ default: 'latest:1', description: 'which versions serve: `latest:<n>`, `all` or `specific:<n>,<n>`; for one model `<name>=<policy>`, several apart by `;`' }),
  BODY_LIMIT_BYTES: Type.Integer({ default: 32 * MIB, minimum: 1024, maximum: 2 ** 31 - 1, description: 'bytes of a request body' }),
  MAX_FILES: Type.Integer({ default: 32, minimum: 1, maximum: 1024, description: 'files in one multipart request' }),
  MAX_ROWS: Type.Integer({ default: 1024, minimum: 1, description: 'texts in one request' }),
  MAX_IMAGE_PIXELS: Type.Integer({ default: 50_000_000, minimum: 1, maximum: 1_000_000_000, description: 'width × height of an image, frames counted' }),
  DECODE_CONCURRENCY: Type.Integer({ default: 0, minimum: 0, maximum: 256, description: 'images decoded at once, those that share a run counted once; 0: one for each core and one more' }),
  DECODE_TIMEOUT_MS: Type.Integer({ default: 2000, minimum: 10, maximum: 3_600_000, description: 'milliseconds that decoding one image may take' }),
  RUN_CONCURRENCY: Type.Integer({ default: 0, minimum: 0, maximum: 64, description: 'runs in flight for each version; 0: as many as measure best when it is loaded' }),
  BATCH_MAX_ROWS: Type.Integer({ default: 64, minimum: 1, maximum: 4096, description: 'rows of the largest run; smaller where more measure no better. 1: no row waits for another or runs with it' }),
  BATCH_MAX_DELAY_MS: Type.Number({ default: 20, minimum: 0, maximum: 10_000, description: 'longest time in milliseconds that a row waits for others whose requests are here already; at most a fifth of the time its own request took so far' }),
  MAX_QUEUE: Type.Integer({ default: 256, minimum: 0, description: 'requests at a version before more are refused with 503' }),
  MAX_QUEUE_MS: Type.Integer({ default: 2000, minimum: 1, maximum: DAY_MS, description: 'milliseconds a request may have to wait, by the rate at which others are answered, before more are refused with 503' }),
  REQUEST_TIMEOUT_MS: Type.Integer({ default: 60_000, minimum: 100, maximum: DAY_MS, description: 'milliseconds within which a client has to send its request, and the server to answer it' }),
  SHUTDOWN_TIMEOUT_MS: Type.Integer({ default: 30_000, minimum: 0, maximum: DAY_MS, description: 'milliseconds that requests in flight are given after SIGTERM' }),
  INTRA_OP_THREADS: Type.Integer({ default: 0, minimum: 0, maximum: 1024, description: 'TensorFlow threads inside one operation, for each version; 0: as many as measure best when it is loaded' }),
  INTER_OP_THREADS: Type.Integer({ default: 0, minimum: 0, maximum: 1024, description: 'TensorFlow threads between operations; 0: TensorFlow decides' }),
  THREAD_NICENESS: Type.Integer({ default: 10, minimum: 0, maximum: 19, description: 'how much less than the event loop the threads that decode and infer count where cores are short, as a nice value (Linux). 0: as much, where other programs of the same container or terminal are not to go before them' }),
  XLA: Type.Union([Type.Literal('off'), Type.Literal('on'), Type.Literal('auto')], { default: 'off', description: 'compile graphs with XLA, on a GPU: `auto` measures both ways when a version is loaded and takes the better. Each batch size is compiled before the version serves, in seconds. On a CPU TensorFlow leaves XLA out' }),
  TF32: Type.Union([Type.Literal('on'), Type.Literal('off')], { default: 'on', description: 'let GPUs from Ampere on multiply float32 in TensorFloat-32, with 10 bits of mantissa: several times as fast, as TensorFlow has it by default. Holds for all models' }),
  GPU_MEMORY_LIMIT_MIB: Type.Integer({ default: 0, minimum: 0, description: 'MiB of GPU memory for TensorFlow; 0: grows as needed' }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], { default: 'info', description: 'least level that is logged' })
})

export type Config = Readonly<Static<typeof ConfigSchema>>

/** @throws BadConfigError if a variable is out of bounds; the message names it (`env/PORT must be <= 65535`) */
export function loadConfig (env: Record<string, string | undefined>): Config {
  try {
    return Object.freeze(envSchema<Config>({ schema: ConfigSchema, data: env, env: false }))
  } catch (error) {
    throw new BadConfigError(error instanceof Error ? error.message : String(error))
  }
}
