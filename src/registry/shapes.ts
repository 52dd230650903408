/** A declared shape: −1 for a free dimension, undefined if even the rank is open. */
export type DeclaredShape = readonly number[] | undefined

/** Whether a tensor of shape `found`, or one declared so, can be what `allowed` declares. */
export function fits (found: DeclaredShape, allowed: DeclaredShape): boolean {
  if (found === undefined || allowed === undefined) return true
  return found.length === allowed.length && found.every((side, axis) => side === allowed[axis] || side === -1 || allowed[axis] === -1)
}

/** As a reader knows shapes: `[?, 224, 224, 3]`. */
export function formatShape (shape: DeclaredShape): string {
  return shape === undefined ? 'any shape' : `[${shape.map(side => side === -1 ? '?' : side).join(', ')}]`
}
