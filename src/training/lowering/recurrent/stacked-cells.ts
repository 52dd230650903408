import type { LayerCall } from '../layer-call.ts'
import type { Dimension } from '../scope.ts'
import type { Cell, Half, MakeCell, Parts } from './cell.ts'

/**
 * Cells one above the other as one cell: the first one's projection is done for all steps at once, everything else step by step. As in
 * `tf.layers` the states are those of the last cell first.
 *
 * @param makeCell finds and makes the cell of a layer
 */
export function makeStackedCells (makeCell: MakeCell): MakeCell {
  return (call, inputShape) => stack(cellsOf(call, inputShape, makeCell))
}

function cellsOf (call: LayerCall, inputShape: readonly Dimension[], makeCell: MakeCell): Cell[] {
  const { cells } = call.layer as unknown as { cells: LayerCall['layer'][] }
  const made: Cell[] = []
  for (const cell of cells) made.push(makeCell(call.as(cell), made.at(-1)?.stateShapes[0] ?? inputShape))
  return made
}

function stack (cells: readonly Cell[]): Cell {
  const first = cells[0]!
  return {
    stateShapes: cells.toReversed().flatMap(({ stateShapes }) => stateShapes),
    projecting: first.projecting,
    project: first.project,
    stepping: joined(cells.flatMap(({ projecting, stepping }, index) => index === 0 ? [[index, stepping] as const] : [[index, projecting] as const, [index, stepping] as const])),
    step: (scope, projected, states, parts) => {
      let end = states.length
      let x = projected
      const next = cells.map(({ stateShapes, project, step }, index) => {
        const own = partsOf(parts, index)
        const present = states.slice(end - stateShapes.length, end)
        end -= stateShapes.length
        const after = step(scope, index === 0 ? x : project(scope, x, own), present, own)
        x = after[0]!
        return after
      })
      return next.reverse().flat()
    }
  }
}

/** Names start with the cell's index: `1/kernel`. */
function joined (halves: readonly (readonly [index: number, half: Half])[]): Half {
  const join = (kind: keyof Half): Parts =>
    Object.fromEntries(halves.flatMap(([index, half]) => Object.entries(half[kind]).map(([name, part]) => [`${index}/${name}`, part])))
  return { weights: join('weights'), masks: join('masks') }
}

function partsOf (parts: Parts, index: number): Parts {
  const start = `${index}/`
  return Object.fromEntries(Object.entries(parts).filter(([name]) => name.startsWith(start)).map(([name, part]) => [name.slice(start.length), part]))
}
