import type { ImageContract } from '../registry/manifest.ts'
import type { Size } from './header-size.ts'
import type { Part } from './orientation.ts'

/** How a picture comes to the contract's frame: resized whole, a part of that kept, that part laid into the frame. All in upright pixels. */
export interface ResizePlan {
  /** Sides of the whole picture after the resize. */
  resized: Size
  /** What is kept of the resized picture; never larger than the frame. */
  kept: Part
  /** Where the kept part lies in the frame; what is left around it is background. */
  placed: { left: number, top: number }
}

/**
 * Where a picture of these sides goes; odd remainders leave the extra pixel at the right and the bottom. Pure.
 *
 * @param source the picture's sides, upright
 */
export function planResize (source: Size, contract: ImageContract): ResizePlan {
  const frame = { width: contract.width, height: contract.height }
  const resized = resizedSides(source, contract)
  const width = Math.min(resized.width, frame.width)
  const height = Math.min(resized.height, frame.height)
  return {
    resized,
    kept: { width, height, left: Math.floor((resized.width - width) / 2), top: Math.floor((resized.height - height) / 2) },
    placed: { left: Math.floor((frame.width - width) / 2), top: Math.floor((frame.height - height) / 2) }
  }
}

function resizedSides (source: Size, { width, height, fit, cropFraction = 1 }: ImageContract): Size {
  const scales = [width / source.width, height / source.height]
  const sides = (scale: number, least: Size): Size => ({
    width: Math.max(least.width, Math.round(source.width * scale)),
    height: Math.max(least.height, Math.round(source.height * scale))
  })
  switch (fit) {
    case 'fill': return { width, height }
    case 'cover': return sides(Math.max(...scales) / cropFraction, { width, height })
    case 'contain': return sides(Math.min(...scales), { width: 1, height: 1 })
  }
}
