import koffi from 'koffi'
import { LibraryNotFoundError, LibraryUnusableError } from '../errors.ts'
import { bindCApi, offLoop, type CApi, type Fn, type Pointer } from './c-api.ts'
import { isPresent, libraryCandidates, sharedLibraries, type Candidate } from './locate.ts'

/** libtensorflow, opened. There is one in a process and it stays until the process ends. */
export interface Library {
  readonly path: string
  /** Where the path came from: `LIBTENSORFLOW`, the set-up's cache, tfjs-node-gpu. */
  readonly source: string
  /** TensorFlow's own version, as `2.21.0`. */
  readonly version: string
}

interface OpenLibrary extends Library {
  readonly api: CApi
  readonly libc: LibC
}

/** The few functions of the C library that copying memory and opening libraries take. */
interface LibC {
  /** Copies between JavaScript's and TensorFlow's memory: a third of a microsecond, where a view costs two. */
  memcpy (target: NodeJS.TypedArray | Pointer, source: NodeJS.TypedArray | Pointer, sizeBytes: number): Pointer
  dlopen: Fn<[path: string, flags: number], Pointer>
  dlerror (): string | null
  /** Linux's: of one thread, by its number. */
  sched_setscheduler?: (thread: number, policy: number, parameters: NodeJS.TypedArray) => number
  /** Linux's: the address is a multiple of the size of a page. */
  madvise?: Fn<[address: number, sizeBytes: number, advice: number], number>
  /** glibc's. */
  malloc_trim?: Fn<[pad: number], number>
  dup (descriptor: number): number
}

const RTLD_NOW = 0x2
const RTLD_GLOBAL = 0x100
/** Keeps the library at process exit: Node unloads what koffi loaded, and TensorFlow's threads then crash. */
const RTLD_NODELETE = 0x1000
const OPEN_FLAGS = RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE

const MIB = 1024 * 1024

/**
 * koffi calls C on stacks of its own. Its default of 128 KiB for asynchronous calls is too small for TensorFlow's graph optimizer,
 * which recurses; pages that are not touched cost nothing. Must be set before any library is opened.
 */
const KOFFI_LIMITS = {
  sync_stack_size: 16 * MIB,
  async_stack_size: 16 * MIB,
  resident_async_pools: 32,
  max_async_calls: 4096
}

let open: OpenLibrary | undefined

/**
 * Finds and opens libtensorflow; later calls return the same library.
 *
 * Sets `TF_CPP_MIN_LOG_LEVEL=2` (errors only), `TF_FORCE_GPU_ALLOW_GROWTH=true` and `TF_OVERRIDE_GLOBAL_THREADPOOL=1` (each session has
 * threads of its own) where the environment does not say otherwise, since TensorFlow reads them when it is opened or makes its first session.
 *
 * @throws LibraryNotFoundError naming every place tried
 * @throws LibraryUnusableError if the file can't be opened or lacks a function
 */
export function loadLibrary (env: NodeJS.ProcessEnv = process.env): Library {
  open ??= openLibrary(env)
  return open
}

const ONE_DNN = 'TF_ENABLE_ONEDNN_OPTS'
let prefersOneDnn = false

/**
 * Lets TensorFlow use oneDNN's kernels on x86 processors without AVX-512 too, where it would not itself, unless `TF_ENABLE_ONEDNN_OPTS` says it. With AVX2
 * alone a step of `npm run bench:train` then takes 0.7 (cnn), 0.8 (lstm) and 0.85 (mlp) of the time. Not for serving: one row through MobileNetV2 takes half a second.
 * To be called before the library is opened.
 */
export function preferOneDnn (): void {
  prefersOneDnn = process.arch === 'x64'
}

/** The C API. @throws LibraryNotFoundError, LibraryUnusableError as `loadLibrary` */
export function api (): CApi {
  loadLibrary()
  return open!.api
}

export function libc (): LibC {
  loadLibrary()
  return open!.libc
}

/**
 * Another descriptor of the same file or socket, which Node can't give. Opens nothing of TensorFlow.
 *
 * @throws Error if the process has as many open as it may
 */
export function duplicateDescriptor (descriptor: number): number {
  const another = prepareLibC().dup(descriptor)
  if (another < 0) throw new Error(`Can not duplicate descriptor ${descriptor}: too many are open (ulimit -n)`)
  return another
}

/**
 * Opens libtensorflow's files on a thread of libuv's pool, a quarter of a second in which the event loop is free for other things: `loadLibrary` then finds them open.
 * Never rejects: what is wrong, `loadLibrary` says.
 */
export async function preloadLibrary (env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const found = findLibrary(env)
  if (found === undefined) return
  try {
    const { dlopen } = prepareLibC()
    const cuda = found.cudaDirectory === undefined ? [] : sharedLibraries(found.cudaDirectory)
    for (const path of [...cuda, found.path]) await offLoop(dlopen, path, OPEN_FLAGS)
  } catch {
    // What stands in the way of this does so of loadLibrary.
  }
}

function openLibrary (env: NodeJS.ProcessEnv): OpenLibrary {
  const found = findLibrary(env)
  if (found === undefined) throw new LibraryNotFoundError(libraryCandidates(env).map(({ path, source }) => `  ${path} (${source})`).join('\n'))
  const libc = prepareLibC()
  if (found.cudaDirectory !== undefined) openCuda(libc, found.cudaDirectory)
  if (!prefersOneDnn || env[ONE_DNN] !== undefined) return bind(libc, found)
  // TensorFlow reads it while it is opened; programs that this one starts are to decide for themselves.
  process.env[ONE_DNN] = '1'
  try {
    return bind(libc, found)
  } finally {
    delete process.env[ONE_DNN]
  }
}

function findLibrary (env: NodeJS.ProcessEnv): Candidate | undefined {
  return libraryCandidates(env).find(isPresent)
}

let prepared: LibC | undefined

/** Makes the settings that have to be there before libtensorflow is. */
function prepareLibC (): LibC {
  if (prepared !== undefined) return prepared
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true'
  process.env['TF_OVERRIDE_GLOBAL_THREADPOOL'] ??= '1'
  koffi.config(KOFFI_LIMITS)
  prepared = bindLibC()
  return prepared
}

function bind (libc: LibC, { path, source }: Candidate): OpenLibrary {
  if (libc.dlopen(path, OPEN_FLAGS) === null) throw new LibraryUnusableError(path, libc.dlerror() ?? 'unknown reason')
  try {
    const api = bindCApi(koffi.load(path))
    return { path, source, version: api.TF_Version(), api, libc }
  } catch (error) {
    throw new LibraryUnusableError(path, (error as Error).message)
  }
}

/** TensorFlow opens CUDA's libraries by name: once they are open, their names are known. Those that need others come after them. */
function openCuda (libc: LibC, directory: string): void {
  let waiting = sharedLibraries(directory)
  for (let before = Infinity; waiting.length < before;) {
    before = waiting.length
    waiting = waiting.filter(path => libc.dlopen(path, OPEN_FLAGS) === null)
  }
}

function bindLibC (): LibC {
  const library = koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6')
  const libc: LibC = {
    memcpy: library.func('void* memcpy(void*, void*, size_t)') as LibC['memcpy'],
    dlopen: library.func('void* dlopen(const char*, int)') as LibC['dlopen'],
    dlerror: library.func('const char* dlerror()') as LibC['dlerror'],
    dup: library.func('int dup(int)') as LibC['dup']
  }
  try {
    libc.malloc_trim = library.func('int malloc_trim(size_t)')
  } catch {
    // Not glibc: nothing to trim.
  }
  if (process.platform !== 'linux') return libc
  libc.madvise = library.func('int madvise(uintptr_t, size_t, int)') as NonNullable<LibC['madvise']>
  libc.sched_setscheduler = library.func('int sched_setscheduler(int, int, void*)') as NonNullable<LibC['sched_setscheduler']>
  return libc
}
