import { Graph, Session, type Output, type TensorValue } from '../../tensorflow/index.ts'
import { findLoss, type LossName } from '../losses.ts'
import { Scope } from '../lowering/scope.ts'
import { evenly, type Curve } from './curve.ts'

/** Losses that are drawn together, because they judge the same kind of output. */
export interface LossGroup {
  readonly title: string
  readonly xName: string
  readonly curves: readonly Curve[]
}

interface LossPlan {
  readonly title: string
  readonly xName: string
  readonly range: readonly [number, number]
  readonly losses: readonly { readonly loss: LossName, readonly target: number, readonly name?: string }[]
}

const PLANS: readonly LossPlan[] = [
  {
    title: 'Quantities',
    xName: 'error',
    range: [-3, 3],
    losses: (['meanSquaredError', 'meanAbsoluteError', 'huber', 'logcosh'] as const).map(loss => ({ loss, target: 0 }))
  },
  {
    title: 'Two classes: binaryCrossentropy',
    xName: 'probability that it is 1',
    range: [0.01, 0.99],
    losses: [{ loss: 'binaryCrossentropy', target: 1, name: 'it is 1' }, { loss: 'binaryCrossentropy', target: 0, name: 'it is 0' }]
  },
  {
    title: 'Quantities over 0, of which 1 is right',
    xName: 'prediction',
    range: [0.1, 3],
    losses: [{ loss: 'meanSquaredLogarithmicError', target: 1 }, { loss: 'poisson', target: 1 }]
  },
  {
    title: 'Two classes of −1 and 1, of which 1 is right',
    xName: 'output',
    range: [-2, 2],
    losses: [{ loss: 'hinge', target: 1 }, { loss: 'squaredHinge', target: 1 }]
  }
]
const POINTS = 197

/** What losses say of a prediction, by the operations that models learn with. */
export async function lossCurves (): Promise<LossGroup[]> {
  const graph = new Graph()
  const session = new Session(graph)
  try {
    const groups: LossGroup[] = []
    for (const { title, xName, range, losses } of PLANS) {
      const xs = evenly(...range, POINTS)
      const output = graph.constant(column(xs), 'output')
      const fetches = losses.map(({ loss, target }): Output => findLoss(loss).lossOfRows(new Scope(graph, loss), graph.constant(column(xs.map(() => target)), 'target'), { output }))
      const found = await session.run({ feeds: [], fetches })
      groups.push({ title, xName, curves: losses.map(({ loss, name = loss }, index) => ({ name, points: xs.map((x, row) => [x, (found[index]!.data as Float32Array)[row]!]) })) })
    }
    return groups
  } finally {
    await session.close()
    graph.dispose()
  }
}

function column (values: readonly number[]): TensorValue {
  return { dtype: 'float32', shape: [values.length, 1], data: Float32Array.from(values) }
}
