import type { ImageContract } from '../registry/manifest.ts'
import type { ResizePlan } from './resize-plan.ts'

/** uint8 pixels [height, width, channels], row-major, as sharp gives them. */
export interface Picture {
  data: Uint8Array
  width: number
  height: number
  channels: number
  /** 2 where the picture is twice as large as planned: the second pixel of each two, in both directions, is the one to keep. */
  step: 1 | 2
}

/**
 * Lays a resized picture into the contract's frame: takes every `step`th pixel, turns RGB to grey where the contract has one channel, and fills
 * what is left around it with the background. The only copy that pixels see on this side of the decoder.
 *
 * @param into the row's place in the batch: uint8 [H, W, C], exactly height × width × channels bytes; every byte is written. Nothing is to be done where the picture is there already
 */
export function placePixels (picture: Picture, plan: ResizePlan, contract: ImageContract, into: Uint8Array): void {
  if (picture.data === into) return
  const { kept, placed } = plan
  const { width, height, channels } = contract
  if (kept.width < width || kept.height < height) fillBackground(contract, into)
  for (let row = 0; row < kept.height; row++) {
    const from = ((row + 1) * picture.step - 1) * picture.width * picture.channels
    const to = ((placed.top + row) * width + placed.left) * channels
    if (channels === 1) copyAsGrey(picture, from, into, to, kept.width)
    else copyAsRgb(picture, from, into, to, kept.width)
  }
}

function copyAsRgb (picture: Picture, from: number, into: Uint8Array, to: number, count: number): void {
  const { data, channels, step } = picture
  if (step === 1 && channels === 3) {
    into.set(data.subarray(from, from + count * 3), to)
    return
  }
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  for (let index = 0; index < count; index++) {
    const pixel = from + ((index + 1) * step - 1) * channels
    into[to + index * 3] = data[pixel] as number
    into[to + index * 3 + 1] = data[pixel + green] as number
    into[to + index * 3 + 2] = data[pixel + blue] as number
  }
}

function copyAsGrey (picture: Picture, from: number, into: Uint8Array, to: number, count: number): void {
  const { data, channels, step } = picture
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  for (let index = 0; index < count; index++) {
    const pixel = from + ((index + 1) * step - 1) * channels
    into[to + index] = luma(data[pixel] as number, data[pixel + green] as number, data[pixel + blue] as number)
  }
}

function fillBackground ({ channels, background = [0, 0, 0] }: ImageContract, into: Uint8Array): void {
  const [red, green, blue] = background
  if (channels === 1 || (red === green && green === blue)) {
    into.fill(luma(red, green, blue))
    return
  }
  for (let offset = 0; offset < into.length; offset += 3) into.set(background, offset)
}

/**
 * Grey as Pillow, OpenCV, TensorFlow and JPEG itself reckon it (ITU-R BT.601, on the encoded values), which is what models for grey images were
 * trained on; libvips' own conversion goes through linear light. Equal red, green and blue stay what they are.
 */
function luma (red: number, green: number, blue: number): number {
  return (19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16
}
