import type { OutputInfo, ResizeOptions, Sharp } from 'sharp'
import type { ImageContract } from '../registry/manifest.ts'
import { readHeader, readPlainHeader, type ImageHeader } from './image-header.ts'
import type { ShrinkJob } from './jpeg-graph.ts'
import { isTurned } from './orientation.ts'
import type { Picture } from './place-pixels.ts'
import { planResize, type ResizePlan } from './resize-plan.ts'
import { sharp } from './sharp.ts'
import { shrinkJob, shrinkJpeg } from './shrink-jpeg.ts'
import { pixelsToTiff } from './tiff.ts'
import { asImageError } from './undecodable.ts'

export interface ReadLimits {
  /** Most pixels: width × height × frames. */
  maxPixels: number
  /** Milliseconds after which libvips is told to stop; it looks up only between two parts of a picture. */
  timeoutMs: number
}

/** An image's header and what is to be done with it. */
export interface ReadJob {
  header: ImageHeader
  plan: ResizePlan
  contract: ImageContract
  limits: ReadLimits
  /** How TensorFlow decodes it; undefined where libvips does. */
  shrink: ShrinkJob | undefined
}

/**
 * What is to be done with a JPEG, if it is a plain one.
 *
 * @returns undefined for what libvips has to look at
 * @throws TooManyPixelsError
 */
export function planPlainJpeg (bytes: Uint8Array, contract: ImageContract, limits: ReadLimits): ReadJob | undefined {
  const header = readPlainHeader(bytes, limits.maxPixels)
  return header && jobFor(bytes, header, contract, limits)
}

/**
 * Decodes an image's first frame and brings it to the contract's size: upright, sRGB, 8 bits, transparency laid on the background.
 *
 * The pixels are those of the fully decoded picture, resized with the contract's kernel (two decoders of JPEGs differ by half a step of 255 on
 * average), but for a JPEG at least three times as large as the contract: it is decoded at a half, a quarter or an eighth of its size, and the kernel does the rest. Its pixels then differ by 1 of 255 steps on
 * average, by 2.6 on the worst of 42 photos at 16×16 with lanczos3 (2.4 at 32×32); where libvips decodes it (progressive, CMYK, grey with a profile,
 * lanczos2) by 2.5 and 9. `nearest` always decodes in full.
 *
 * A file that is cut off before the last pixels that are needed, or whose data can't be read, is refused; what libjpeg only warns about (flipped
 * bits, rubbish after the end) is read, as Pillow and browsers do.
 *
 * @param bytes the whole file; must not change before the promise settles
 * @throws UnsupportedImageError, TooManyPixelsError, UndecodableImageError
 */
export async function readPixels (bytes: Uint8Array, contract: ImageContract, limits: ReadLimits): Promise<{ picture: Picture, plan: ResizePlan }> {
  return await readPlanned(bytes, jobFor(bytes, await readHeader(bytes, limits.maxPixels), contract, limits))
}

/**
 * @see readPixels
 *
 * @param row where the pixels are to lie in the end: a photo that fills the frame is decoded right into it
 */
export async function readPlanned (bytes: Uint8Array, job: ReadJob, row?: Uint8Array): Promise<{ picture: Picture, plan: ResizePlan }> {
  const { shrink, plan } = job
  const small = shrink === undefined ? undefined : await shrinkJpeg(bytes, shrink, isWholeRow(job) ? row : undefined)
  return { picture: small === undefined ? await readByVips(bytes, job) : await convert(small, job), plan }
}

function jobFor (bytes: Uint8Array, header: ImageHeader, contract: ImageContract, limits: ReadLimits): ReadJob {
  const plan = planResize(header.size, contract)
  return { header, plan, contract, limits, shrink: shrinkJob(bytes, header, plan, contract.kernel) }
}

/** Whether the decoded numbers are the row: nothing lies around them, and they stay what they are. */
function isWholeRow ({ header: { conversion }, plan: { kept }, contract: { width, height, channels } }: ReadJob): boolean {
  return conversion === 'none' && channels === 3 && kept.width === width && kept.height === height
}

/** From its own colour profile to sRGB, if that is still to be done. */
async function convert (picture: Picture, job: ReadJob): Promise<Picture> {
  const { conversion, icc } = job.header
  if (conversion === 'none' || icc === undefined) return picture
  return await finish(sharp(pixelsToTiff(picture.data, picture.width, picture.height, icc), { limitInputPixels: false }), job, 1)
}

async function readByVips (bytes: Uint8Array, job: ReadJob): Promise<Picture> {
  const image = open(bytes, job)
  return isEnlarged(job) ? await enlarge(image, job) : await shrink(image, job)
}

function open (bytes: Uint8Array, { header, contract, limits }: ReadJob): Sharp {
  const { format, conversion, space, isGrey, hasAlpha } = header
  const image = sharp(bytes, { failOn: 'error', limitInputPixels: limits.maxPixels, autoOrient: true, ignoreIcc: conversion !== 'early' })
  // To name the space that the pixels have already changes nothing but this: sharp no longer shrinks the JPEG while decoding it.
  if (contract.kernel === 'nearest' && format === 'JPEG' && conversion !== 'early') return image.pipelineColourspace(space)
  // libvips lays grey on a grey background only.
  if (isGrey && hasAlpha && conversion === 'none') return image.pipelineColourspace('srgb')
  return image
}

function isEnlarged ({ header: { size }, plan: { resized } }: ReadJob): boolean {
  return resized.width > size.width || resized.height > size.height
}

async function shrink (image: Sharp, job: ReadJob): Promise<Picture> {
  const small = resize(image, job, 1)
  return await finish(job.header.conversion === 'small' ? await reopen(small, job) : small, job, 1)
}

/**
 * libvips enlarges with its samples half an output pixel up and to the left of where they belong, in both directions even where only one is
 * enlarged. At twice the size every second pixel lies exactly right; `placePixels` takes those. What else is to be done comes first, on its own:
 * a side that shrinks, the turn that would make the first pixel of each two of the second.
 */
async function enlarge (image: Sharp, job: ReadJob): Promise<Picture> {
  const { header: { size, conversion, turn }, plan: { resized } } = job
  const width = Math.min(size.width, resized.width)
  const height = Math.min(size.height, resized.height)
  const isShrunkToo = width < size.width || height < size.height
  const source = isShrunkToo || isTurned(turn) || conversion === 'small'
    ? await reopen(image.resize(width, height, optionsOf(job)), job)
    : image
  return await finish(resize(source, job, 2), job, 2)
}

/** Resizes the whole picture and cuts out what is kept; libvips computes only that part. */
function resize (image: Sharp, job: ReadJob, step: 1 | 2): Sharp {
  const { resized, kept } = job.plan
  const large = image.resize(resized.width * step, resized.height * step, optionsOf(job))
  if (kept.width === resized.width && kept.height === resized.height) return large
  return large.extract({ left: kept.left * step, top: kept.top * step, width: kept.width * step, height: kept.height * step })
}

/** WebP is kept from shrinking at load: its own scaler would take the kernel's place. */
function optionsOf ({ header: { format }, contract: { kernel } }: ReadJob): ResizeOptions {
  return { fit: 'fill', kernel, fastShrinkOnLoad: format === 'JPEG' }
}

/** Runs a pipeline and opens its result for another one, which first converts it from its own colour profile, if that is still to be done. */
async function reopen (image: Sharp, job: ReadJob): Promise<Sharp> {
  const { isGrey, conversion } = job.header
  if (conversion === 'small') image.keepIccProfile().toColourspace(isGrey ? 'b-w' : 'srgb')
  const { data } = await run(image.tiff({ compression: 'none' }), job)
  return sharp(data, { limitInputPixels: false })
}

async function finish (image: Sharp, job: ReadJob, step: 1 | 2): Promise<Picture> {
  const [r, g, b] = job.contract.background ?? [0, 0, 0]
  const { data, info } = await run(image.flatten({ background: { r, g, b } }).raw(), job)
  return { data, width: info.width, height: info.height, channels: info.channels, step }
}

async function run (image: Sharp, { header: { format }, limits: { timeoutMs } }: ReadJob): Promise<{ data: Buffer, info: OutputInfo }> {
  const seconds = Math.ceil(timeoutMs / 1000) // sharp takes whole ones
  return await image.timeout({ seconds }).toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => { throw asImageError(error, format) })
}
