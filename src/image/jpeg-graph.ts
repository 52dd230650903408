import { Graph, hasCustomOperations, Session, StringView, Tensor, type Output } from '../tensorflow/index.ts'
import type { Size } from './header-size.ts'
import { isTurned, storedPart, type Turn } from './orientation.ts'
import type { Picture } from './place-pixels.ts'
import type { ResizePlan } from './resize-plan.ts'

/** TensorFlow's names for the kernels that it has. */
const KERNELS = { linear: 'triangle', cubic: 'keyscubic', mitchell: 'mitchellcubic', lanczos3: 'lanczos3' } as const
export type JpegKernel = keyof typeof KERNELS

/** A JPEG's sides are divided by this, rounded up, while it is decoded. */
export type JpegRatio = 1 | 2 | 4 | 8

export interface ShrinkJob {
  ratio: JpegRatio
  kernel: JpegKernel
  turn: Turn
  /** The whole picture's sides in pixels, upright. */
  source: Size
  plan: ResizePlan
}

export function hasKernel (kernel: string): kernel is JpegKernel {
  return Object.hasOwn(KERNELS, kernel)
}

let jpegGraph: JpegGraph | undefined

/** Opens TensorFlow, if it is not open yet. @throws LibraryNotFoundError, LibraryUnusableError */
export function openJpegGraph (): JpegGraph {
  jpegGraph ??= new JpegGraph()
  return jpegGraph
}

/**
 * Decodes a JPEG in full or at a part of its size and resizes that to what is kept of the plan, on a thread of libuv's pool. Those that are asked for in the same turn
 * of the event loop and are alike in kind go in one run of TensorFlow: to hand a run to a thread and back costs as much as a small photo.
 *
 * @param bytes a whole JPEG, grey or colour, of the sides and the turn that the job says; must not change before the promise settles
 * @param into memory for the pixels, as many bytes as they are; may be written even after nobody waits any more. A new array where left out
 * @throws TensorFlowError if TensorFlow can't read it
 */
export async function decodeShrunk (bytes: Uint8Array, job: ShrinkJob, into?: Uint8Array): Promise<Picture> {
  return await openJpegGraph().decode(bytes, job, into)
}

/** Jobs of one kind can go in one run. */
export function kindOf ({ ratio, kernel, turn: { reversesRows, reversesColumns, isOnSide } }: Pick<ShrinkJob, 'ratio' | 'kernel' | 'turn'>): string {
  return `${ratio} ${kernel} ${reversesRows} ${reversesColumns} ${isOnSide}`
}

/** Most photos in a run: each number of them is a graph of its own to TensorFlow. */
const MOST_TOGETHER = 4
/** Numbers that say how a photo is resized. */
const MEASURES = 6

interface Decode {
  readonly bytes: Uint8Array
  readonly job: ShrinkJob
  readonly into: Uint8Array | undefined
  readonly resolve: (picture: Picture) => void
  readonly reject: (error: unknown) => void
}

/** What is made for jobs that can go in one run. */
interface Kind {
  /** For each place in a run: uint8 [1, height, width, 3]. */
  readonly pixels: readonly Output[]
  /** Asked for in this turn of the event loop. */
  readonly waiting: Decode[]
}

/** What a photo is fed by. Made once, and used for one after the other. */
interface Feed {
  readonly file: StringView
  /** Its height and width when it is resized, the scale and the translation of each, before it is turned. */
  readonly measures: Tensor
  /** Those of `measures`. */
  readonly numbers: Float32Array
}

/** Made at the first JPEG, since serving opens its port before it loads TensorFlow; there is one in a process, and it stays. */
class JpegGraph {
  /** Whether its resize is tensorport's own, to which a picture decoded in full is no burden. */
  readonly resizesFast = hasCustomOperations({ onCpu: true })
  readonly #graph = new Graph()
  readonly #files = Array.from({ length: MOST_TOGETHER }, () => this.#graph.placeholder('string', []))
  readonly #measures = Array.from({ length: MOST_TOGETHER }, () => this.#graph.placeholder('float32', [MEASURES]))
  readonly #kinds = new Map<string, Kind>()
  /** As many as were ever fed at once, less those of the runs under way. */
  readonly #idleFeeds: Feed[] = []
  readonly #session = newSession(this.#graph)

  async decode (bytes: Uint8Array, job: ShrinkJob, into?: Uint8Array): Promise<Picture> {
    return await new Promise((resolve, reject) => { this.#add(this.#kindOf(job), { bytes, job, into, resolve, reject }) })
  }

  #add (kind: Kind, decode: Decode): void {
    const together = kind.waiting.push(decode)
    if (together === 1) process.nextTick(() => { this.#start(kind) })
    else if (together === MOST_TOGETHER) this.#start(kind)
  }

  #start (kind: Kind): void {
    const decodes = kind.waiting.splice(0)
    if (decodes.length > 0) this.#settle(kind, decodes).catch(() => {}) // it settles every one, whatever happens
  }

  /** One that TensorFlow refuses must not take the others with it. */
  async #settle (kind: Kind, decodes: readonly Decode[]): Promise<void> {
    try {
      const pictures = await this.#run(kind, decodes)
      decodes.forEach(({ resolve }, index) => { resolve(pictures[index]!) })
    } catch (error) {
      if (decodes.length === 1) decodes[0]!.reject(error)
      else for (const decode of decodes) await this.#settle(kind, [decode])
    }
  }

  async #run ({ pixels }: Kind, decodes: readonly Decode[]): Promise<Picture[]> {
    const feeds = decodes.map(decode => feedFor(decode, this.#idleFeeds.pop() ?? newFeed()))
    const pictures = decodes.map(({ job: { plan: { kept: { width, height } } }, into }): Picture => ({ data: into ?? new Uint8Array(width * height * 3), width, height, channels: 3, step: 1 }))
    try {
      await this.#session.runInto({
        feeds: feeds.flatMap(({ file, measures }, index) => [[this.#files[index]!, file.tensor], [this.#measures[index]!, measures]] as const),
        fetches: decodes.map((_, index) => pixels[index]!)
      }, pictures.map(({ data }) => data))
      return pictures
    } finally {
      this.#idleFeeds.push(...feeds)
    }
  }

  #kindOf (job: ShrinkJob): Kind {
    const name = kindOf(job)
    const known = this.#kinds.get(name)
    if (known !== undefined) return known
    const pixels = this.#files.map((file, index) => this.#turn(this.#resize(file, this.#measures[index]!, job), job.turn))
    const kind: Kind = { pixels, waiting: [] }
    this.#kinds.set(name, kind)
    return kind
  }

  /** libjpeg's exact DCT and smooth chroma, as libvips has them: quicker ones gain nothing that can be measured. */
  #resize (file: Output, measures: Output, { ratio, kernel }: ShrinkJob): Output {
    const graph = this.#graph
    const decoded = graph.apply('DecodeJpeg', [file], { channels: 3, ratio, dct_method: 'INTEGER_ACCURATE', fancy_upscaling: true })
    if (this.resizesFast) return graph.apply('TensorportResize', [decoded, measures], { kernel_type: KERNELS[kernel] })
    const batch = graph.apply('ExpandDims', [decoded, graph.scalar('int32', 0)])
    const [size, scale, translation] = [0, 2, 4].map(first => graph.apply('Slice', [measures, graph.ints([first]), graph.ints([2])])) as [Output, Output, Output]
    const resized = graph.apply('ScaleAndTranslate', [batch, graph.apply('Cast', [size], { DstT: 'int32' }), scale, translation], { kernel_type: KERNELS[kernel], antialias: true })
    const rounded = graph.apply('ClipByValue', [graph.apply('Round', [resized]), graph.scalar('float32', 0), graph.scalar('float32', 255)])
    return graph.apply('Cast', [rounded], { DstT: 'uint8' })
  }

  #turn (pixels: Output, turn: Turn): Output {
    if (!isTurned(turn)) return pixels
    const axes = [...(turn.reversesRows ? [1] : []), ...(turn.reversesColumns ? [2] : [])]
    const reversed = this.#graph.apply('ReverseV2', [pixels, this.#graph.ints(axes)])
    return turn.isOnSide ? this.#graph.apply('Transpose', [reversed, this.#graph.ints([0, 2, 1, 3])]) : reversed
  }
}

function newFeed (): Feed {
  const measures = Tensor.allocate('float32', [MEASURES])
  const { buffer, byteOffset } = measures.bytes
  return { file: new StringView(), measures, numbers: new Float32Array(buffer, byteOffset, MEASURES) }
}

function feedFor ({ bytes, job }: Decode, feed: Feed): Feed {
  feed.file.point(bytes)
  writeMeasures(job, feed.numbers)
  return feed
}

function writeMeasures ({ ratio, turn, source, plan: { resized, kept } }: ShrinkJob, numbers: Float32Array): void {
  const stored = storedPart(kept, resized, turn)
  // By the file's own sides: those of the decoded picture are rounded up, and its last pixels lie partly outside.
  const [alongX, alongY] = [ratio * resized.width / source.width, ratio * resized.height / source.height]
  const [down, across] = turn.isOnSide ? [alongX, alongY] : [alongY, alongX]
  numbers[0] = stored.height
  numbers[1] = stored.width
  numbers[2] = down
  numbers[3] = across
  numbers[4] = -stored.top
  numbers[5] = -stored.left
}

/**
 * A session whose runs stay on the thread that they were started on: a decode takes the one core that it has a slot for.
 *
 * The first session of a process decides how many threads all of them share, so one that leaves that to TensorFlow goes before.
 */
function newSession (graph: Graph): Session {
  new Session(graph, { visibleGpus: '' }).close().catch(() => {}) // nothing hangs on it
  return new Session(graph, { intraOpThreads: 1, interOpThreads: -1, visibleGpus: '' })
}
