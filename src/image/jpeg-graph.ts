import { floats, Graph, Session, type Output } from '../tensorflow/index.ts'
import type { Size } from './header-size.ts'
import { isTurned, storedPart, type Turn } from './orientation.ts'
import type { Picture } from './place-pixels.ts'
import type { ResizePlan } from './resize-plan.ts'

/** TensorFlow's names for the kernels that it has. */
const KERNELS = { linear: 'triangle', cubic: 'keyscubic', mitchell: 'mitchellcubic', lanczos3: 'lanczos3' } as const
export type JpegKernel = keyof typeof KERNELS

/** A JPEG's sides are divided by this, rounded up, while it is decoded. */
export type JpegRatio = 2 | 4 | 8

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
 * Decodes a JPEG at a part of its size and resizes that to what is kept of the plan, in one run of TensorFlow on a thread of libuv's pool.
 *
 * @param bytes a whole JPEG, grey or colour, of the sides and the turn that the job says; copied before this returns
 * @throws TensorFlowError if TensorFlow can't read it
 */
export async function decodeShrunk (bytes: Uint8Array, job: ShrinkJob): Promise<Picture> {
  return await openJpegGraph().run(bytes, job)
}

/** Made at the first JPEG, since serving opens its port before it loads TensorFlow; there is one in a process, and it stays. */
class JpegGraph {
  readonly #graph = new Graph()
  readonly #file = this.#graph.placeholder('string', [])
  readonly #size = this.#graph.placeholder('int32', [2])
  readonly #scale = this.#graph.placeholder('float32', [2])
  readonly #translation = this.#graph.placeholder('float32', [2])
  /** uint8 [1, height, width, 3] for each ratio, kernel and turn that was asked for. */
  readonly #pixels = new Map<string, Output>()
  readonly #session = newSession(this.#graph)

  async run (bytes: Uint8Array, job: ShrinkJob): Promise<Picture> {
    const { ratio, turn, source, plan: { resized, kept } } = job
    const stored = storedPart(kept, resized, turn)
    // By the file's own sides: those of the decoded picture are rounded up, and its last pixels lie partly outside.
    const [alongX, alongY] = [ratio * resized.width / source.width, ratio * resized.height / source.height]
    const [pixels] = await this.#session.run({
      feeds: [
        [this.#file, { dtype: 'string', shape: [], data: [bytes] }],
        [this.#size, { dtype: 'int32', shape: [2], data: Int32Array.of(stored.height, stored.width) }],
        [this.#scale, floats([2], turn.isOnSide ? [alongX, alongY] : [alongY, alongX])],
        [this.#translation, floats([2], [-stored.top, -stored.left])]
      ],
      fetches: [this.#pixelsOf(job)]
    })
    return { data: pixels!.data as Uint8Array, width: kept.width, height: kept.height, channels: 3, step: 1 }
  }

  #pixelsOf (job: ShrinkJob): Output {
    const key = JSON.stringify([job.ratio, job.kernel, job.turn])
    const pixels = this.#pixels.get(key) ?? this.#turn(this.#resize(job), job.turn)
    this.#pixels.set(key, pixels)
    return pixels
  }

  /** libjpeg's exact DCT and smooth chroma, as libvips has them: quicker ones gain nothing that can be measured. */
  #resize ({ ratio, kernel }: ShrinkJob): Output {
    const graph = this.#graph
    const decoded = graph.apply('DecodeJpeg', [this.#file], { channels: 3, ratio, dct_method: 'INTEGER_ACCURATE', fancy_upscaling: true })
    const batch = graph.apply('ExpandDims', [decoded, graph.scalar('int32', 0)])
    const resized = graph.apply('ScaleAndTranslate', [batch, this.#size, this.#scale, this.#translation], { kernel_type: KERNELS[kernel], antialias: true })
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

/**
 * A session whose runs stay on the thread that they were started on: a decode takes the one core that it has a slot for.
 *
 * The first session of a process decides how many threads all of them share, so one that leaves that to TensorFlow goes before.
 */
function newSession (graph: Graph): Session {
  new Session(graph, { visibleGpus: '' }).close().catch(() => {}) // nothing hangs on it
  return new Session(graph, { intraOpThreads: 1, interOpThreads: -1, visibleGpus: '' })
}
