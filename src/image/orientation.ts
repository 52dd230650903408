import type { Size } from './header-size.ts'

/** A part of a picture, in pixels. */
export interface Part extends Size { left: number, top: number }

/** How a stored picture becomes upright: rows or columns in reverse, then, where it lies on its side, rows for columns. */
export interface Turn { reversesRows: boolean, reversesColumns: boolean, isOnSide: boolean }

/** @param orientation EXIF's, 1–8; other numbers say nothing. @see CIPA DC-008 4.6.4 */
export function turnOf (orientation: number): Turn {
  return {
    reversesRows: [3, 4, 6, 7].includes(orientation),
    reversesColumns: [2, 3, 7, 8].includes(orientation),
    isOnSide: [5, 6, 7, 8].includes(orientation)
  }
}

export function isTurned ({ reversesRows, reversesColumns, isOnSide }: Turn): boolean {
  return reversesRows || reversesColumns || isOnSide
}

/** The sides of an upright picture as they are stored, or the other way round. */
export function turnSize ({ width, height }: Size, { isOnSide }: Turn): Size {
  return isOnSide ? { width: height, height: width } : { width, height }
}

/**
 * Where a part of an upright picture is stored. Pure.
 *
 * @param whole sides of the picture that the part is of, upright
 */
export function storedPart (part: Part, whole: Size, turn: Turn): Part {
  const right = whole.width - part.width - part.left
  const bottom = whole.height - part.height - part.top
  const [firstOnX, lastOnX, firstOnY, lastOnY] = turn.isOnSide ? [part.top, bottom, part.left, right] : [part.left, right, part.top, bottom]
  const { width, height } = turnSize(part, turn)
  return { width, height, left: turn.reversesColumns ? lastOnX : firstOnX, top: turn.reversesRows ? lastOnY : firstOnY }
}
