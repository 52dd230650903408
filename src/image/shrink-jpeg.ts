import type { ImageContract } from '../registry/manifest.ts'
import { TensorFlowError } from '../tensorflow/index.ts'
import type { ImageHeader } from './image-header.ts'
import { decodeShrunk, hasKernel, openJpegGraph, type JpegRatio, type ShrinkJob } from './jpeg-graph.ts'
import type { Picture } from './place-pixels.ts'
import type { ResizePlan } from './resize-plan.ts'

/**
 * How TensorFlow is to decode a plain JPEG, which takes half the CPU time that libvips does.
 *
 * @returns undefined for everything else: CMYK, what takes several passes (progressive ones, whose scans nothing bounds), kernels that TensorFlow lacks; where
 *   there are no operations of tensorport's own, pictures that shrink to more than a third too
 * @throws LibraryNotFoundError, LibraryUnusableError
 */
export function shrinkJob (bytes: Uint8Array, header: ImageHeader, plan: ResizePlan, kernel: ImageContract['kernel']): ShrinkJob | undefined {
  if (!hasKernel(kernel) || !isPlain(header) || !isWhole(bytes)) return undefined
  const ratio = jpegRatio(header.size, plan.resized)
  if (ratio === 1 && !openJpegGraph().resizesFast) return undefined
  return { ratio, kernel, turn: header.turn, source: header.size, plan }
}

/**
 * Decodes as the job says.
 *
 * @param into as in `decodeShrunk`
 * @returns the numbers as they are in the file, not yet converted by its profile; undefined where TensorFlow refuses the file: it is libvips' to read, or
 *   to say what is broken
 */
export async function shrinkJpeg (bytes: Uint8Array, job: ShrinkJob, into?: Uint8Array): Promise<Picture | undefined> {
  try {
    return await decodeShrunk(bytes, job, into)
  } catch (error) {
    if (error instanceof TensorFlowError) return undefined
    throw error
  }
}

/** The part of its sides at which a JPEG is decoded: the kernel is left with more than a pixel for each of its own. Pure. */
export function jpegRatio (source: ImageHeader['size'], resized: ImageHeader['size']): JpegRatio {
  const shrink = Math.min(source.width / resized.width, source.height / resized.height)
  return ([8, 4, 2] as const).find(ratio => shrink >= ratio + 1) ?? 1
}

/** Whether the decoded numbers are RGB, or will be by the profile alone. */
function isPlain ({ isSinglePass, isGrey, conversion }: ImageHeader): boolean {
  return isSinglePass && (conversion === 'none' || (conversion === 'small' && !isGrey))
}

/** Whether the file ends where its picture does. TensorFlow writes a line to stderr for each that is cut off. */
function isWhole (bytes: Uint8Array): boolean {
  return bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9
}
