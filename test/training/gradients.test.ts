import t, { type Test } from 'tap'
import { floats, Graph, loadLibrary, Session, type Output } from '../../src/tensorflow/index.ts'
import { gradients, withGradient } from '../../src/training/gradients.ts'
import { Scope } from '../../src/training/lowering/scope.ts'

loadLibrary()

/** x² whose gradient says 2x · 10, so that one sees who was asked. */
function tenfoldSquare (scope: Scope, x: Output): Output {
  const [y] = withGradient(scope, [x], [scope.mul(x, x)], ([dy]) => [scope.mul(scope.mul(x, 20), dy!)])
  return y!
}

function setUp (t: Test): { graph: Graph, scope: Scope, x: Output, w: Output, values: (outputs: readonly (Output | undefined)[]) => Promise<number[]> } {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const scope = new Scope(graph, 'test')
  const [x, w] = [graph.placeholder('float32', [], 'x'), graph.placeholder('float32', [], 'w')]
  const feeds = [[x, floats([], [3])], [w, floats([], [5])]] as const
  const values = async (outputs: readonly (Output | undefined)[]): Promise<number[]> =>
    (await session.run({ feeds, fetches: outputs.map(output => output!) })).map(({ data }) => Number(data[0]))
  return { graph, scope, x, w, values }
}

t.test('a group with a gradient of its own is asked for it', async t => {
  const { graph, scope, x, values } = setUp(t)
  t.strictSame(await values(gradients(graph, [tenfoldSquare(scope, x)], [x])), [60])
})

t.test('what comes in at a group is the sum of all ways from it', async t => {
  const { graph, scope, x, values } = setUp(t)
  const square = tenfoldSquare(scope, x)
  t.strictSame(await values(gradients(graph, [scope.add(scope.mul(square, 2), scope.mul(square, 5))], [x])), [420])
})

t.test('groups one after the other pass on what came', async t => {
  const { graph, scope, x, values } = setUp(t)
  const inner = tenfoldSquare(scope, x) // 9
  const outer = tenfoldSquare(scope, scope.mul(inner, 2)) // 18²
  t.strictSame(await values(gradients(graph, [outer], [x])), [20 * 18 * 2 * 60])
})

t.test('a weight used before a group, in it, beside it and after it gets the sum of all', async t => {
  const { graph, scope, x, w, values } = setUp(t)
  const before = scope.mul(x, w) // 15
  const [inside] = withGradient(scope, [before, w], [scope.mul(before, w)], ([dy]) => [scope.mul(dy!, w), scope.mul(dy!, before)])
  const after = scope.add(scope.mul(inside!, w), scope.mul(before, 7)) // x·w³ + 7·x·w
  const [dx, dw] = await values(gradients(graph, [after], [x, w]))
  t.equal(dx, 5 ** 3 + 7 * 5)
  t.equal(dw, 3 * 3 * 25 + 7 * 3)
})

t.test('two outputs of one group come in together, and undefined where nothing does', async t => {
  const { graph, scope, x, values } = setUp(t)
  const seen: number[] = []
  const outputs = withGradient(scope, [x], [scope.mul(x, 2), scope.mul(x, 3), scope.mul(x, 4)], incoming => {
    seen.push(...incoming.map(gradient => gradient === undefined ? 0 : 1))
    return [scope.add(scope.mul(incoming[0]!, 2), scope.mul(incoming[2]!, 4))]
  })
  t.strictSame(await values(gradients(graph, [scope.add(outputs[0]!, scope.mul(outputs[2]!, 10))], [x])), [42])
  t.strictSame(seen, [1, 0, 1])
})

t.test('incoming gradients replace ones, and a tensor that nothing depends on has none', async t => {
  const { graph, scope, x, w, values } = setUp(t)
  const [dx, dw] = gradients(graph, [tenfoldSquare(scope, x)], [x, w], [scope.number(0.5)])
  t.equal(dw, undefined)
  t.strictSame(await values([dx]), [30])
})

t.test('a group beside the way is left alone', async t => {
  const { graph, scope, x, values } = setUp(t)
  withGradient(scope, [x], [scope.mul(x, 2)], () => { throw new Error('nobody should ask') })
  t.strictSame(await values(gradients(graph, [scope.mul(x, 3)], [x])), [3])
})
