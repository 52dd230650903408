import type { GraphRewrite } from './graph-rewrite.ts'

/** They give the same for the same. */
const CALCULATIONS = new Set(['Identity', 'Reshape', 'Squeeze', 'Mul', 'Sub', 'Add', 'AddV2', 'Rsqrt', 'Neg'])
const FIXED = new Set(['ReadVariableOp', 'Const'])
/** Longer calculations are not looked through; a normalization's has eight steps. */
const MAX_DEPTH = 12

/** Whether a tensor has one number for each channel, shape [channels] or [1, 1, 1, channels], and is calculated from variables and constants alone. */
export function isOfChannels (scope: GraphRewrite, input: string | undefined, channels: number): boolean {
  const sides = scope.shape(input)
  const isShaped = (sides?.length === 1 || sides?.length === 4) && sides.at(-1) === channels && sides.slice(0, -1).every(side => side === 1)
  return isShaped && isFixed(scope, input)
}

function isFixed (scope: GraphRewrite, input: string | undefined, depth = 0): boolean {
  const node = scope.maker(input)
  if (node === undefined || depth > MAX_DEPTH) return false
  return FIXED.has(node.op) || (CALCULATIONS.has(node.op) && node.input.every(part => isFixed(scope, part, depth + 1)))
}
