import t from 'tap'
import { floats, Graph, loadLibrary, Session, strings, TensorFlowError, type Attributes, type Output, type TensorValue } from '../../src/tensorflow/index.ts'

loadLibrary()

async function evaluate (graph: Graph, fetches: Output[], feeds: [Output, TensorValue][] = []): Promise<TensorValue[]> {
  const session = new Session(graph)
  try {
    return await session.run({ fetches, feeds })
  } finally {
    await session.close()
  }
}

t.test('builds and runs an expression', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [-1, 2], 'x')
  const y = graph.apply('MatMul', [x, graph.constant(floats([2, 1], [10, 1]))])
  const [value] = await evaluate(graph, [y], [[x, floats([2, 2], [1, 2, 3, 4])]])
  t.strictSame(value, floats([2, 1], [12, 34]))
})

t.test('tells type and shape of an output as far as the graph knows them', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const free = graph.placeholder('uint8', [-1, 4, 4, 3])
  t.equal(free.dtype, 'uint8')
  t.strictSame(free.shape, [-1, 4, 4, 3])
  t.strictSame(graph.scalar('int64', 7).shape, [])
  t.equal(graph.placeholder('float32', null).shape, undefined)
})

t.test('gives the gradient of each input, and undefined for one that nothing depends on', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [])
  const other = graph.placeholder('float32', [])
  const [dx, dother] = graph.gradients([graph.apply('Square', [x])], [x, other])
  t.equal(dother, undefined)
  const [value] = await evaluate(graph, [dx!], [[x, floats([], [3])]])
  t.strictSame(value, floats([], [6]))
})

t.test('takes incoming gradients in place of ones', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [2])
  const [dx] = graph.gradients([graph.apply('Square', [x])], [x], [graph.constant(floats([2], [1, 10]))])
  const [value] = await evaluate(graph, [dx!], [[x, floats([2], [3, 3])]])
  t.strictSame(value, floats([2], [6, 60]))
})

t.test('counts the ways that lead from one y through another', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [])
  const w = graph.placeholder('float32', [])
  const double = (y: Output): Output => graph.apply('Mul', [y, graph.scalar('float32', 2)])
  const inner = graph.apply('Mul', [x, w])
  const outer = double(double(double(inner)))
  const ones = [graph.scalar('float32', 1), graph.scalar('float32', 1)]
  const found = graph.gradients([outer, inner], [x, w], ones)
  const values = await evaluate(graph, found.map(gradient => gradient!), [[x, floats([], [3])], [w, floats([], [5])]])
  t.strictSame(values, [floats([], [45]), floats([], [27])])
})

t.test('names an operation that has no gradient', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [2, 2])
  const y = graph.op('SparseSoftmaxCrossEntropyWithLogits', [x, graph.ints([0, 1])]).output(0)
  t.throws(() => graph.gradients([y], [x]), { name: 'TensorFlowError', message: /SparseSoftmaxCrossEntropyWithLogits/ })
})

t.test('keeps variables in the session, not in the graph', async t => {
  const graph = new Graph()
  const session = new Session(graph)
  t.teardown(async () => { await session.close(); graph.dispose() })
  const counter = graph.variable('counter', 'int64', [])
  const start = counter.assign(graph.scalar('int64', 40))
  const add = graph.op('AssignAddVariableOp', [counter.handle, graph.scalar('int64', 1)], { dtype: 'int64' })
  await t.rejects(session.run({ fetches: [counter.read()] }), { code: 'FAILED_PRECONDITION' })
  await session.run({ targets: [start] })
  await session.run({ targets: [add] })
  await session.run({ targets: [add] })
  const [value] = await session.run({ fetches: [counter.read()] })
  t.strictSame(value, { dtype: 'int64', shape: [], data: BigInt64Array.of(42n) })
})

t.test('makes names unique, and refuses a variable of a name that is taken', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const names = [1, 2, 3].map(() => graph.apply('Const', [], { dtype: 'float32', value: floats([], [1]) }, { name: 'dense/one' }).operation.name)
  t.strictSame(names, ['dense/one', 'dense/one_1', 'dense/one_2'])
  t.throws(() => graph.variable('dense/one', 'float32', []), { name: 'RangeError', message: /already has an operation "dense\/one"/ })
})

t.test('sets every kind of attribute', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const image = graph.placeholder('float32', [1, 3, 3, 1])
  const convolved = graph.apply('Conv2D', [image, graph.constant(floats([2, 2, 1, 1], [1, 1, 1, 1]))],
    { strides: [1, 1, 1, 1], padding: 'VALID', use_cudnn_on_gpu: false, data_format: 'NHWC' })
  const parsed = graph.op('ParseExampleV2', [graph.placeholder('string', [-1]), graph.constant(strings([0], [])), graph.constant(strings([0], [])),
    graph.constant(strings([1], ['x'])), graph.constant(strings([0], [])), [graph.constant(floats([1], [7]))]],
  { Tdense: ['float32'], num_sparse: 0, sparse_types: [], ragged_value_types: [], ragged_split_types: [], dense_shapes: [[1]] })
  t.strictSame(parsed.output(0).shape, [-1, 1])
  const leaky = graph.apply('LeakyRelu', [convolved], { alpha: 0.5 })
  const [value] = await evaluate(graph, [leaky], [[image, floats([1, 3, 3, 1], [1, 1, 1, 1, 1, 1, -9, -9, -9])]])
  t.strictSame(value, floats([1, 2, 2, 1], [4, 4, -8, -8]))
})

t.test('refuses what TensorFlow does not know, by name, and stays usable', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  const x = graph.placeholder('float32', [2])
  const cases: [() => unknown, { message?: string | RegExp, name?: string, code?: string }][] = [
    [() => graph.op('NoSuchOperation'), { message: 'TensorFlow has no operation "NoSuchOperation"' }],
    [() => graph.op('Relu', [x], { alfa: 1 }), { message: /Relu has no attribute "alfa"; it has: T/ }],
    [() => graph.op('LeakyRelu', [x], { alpha: 'x' }), { message: /Expected float for LeakyRelu's attribute "alpha" but received 'x'/ }],
    [() => graph.op('MatMul', [x]), { message: /Expected 2 inputs for MatMul \(a, b\) but received 1/ }],
    [() => graph.op('AddN', [x]), { message: /Expected a list for AddN's input "inputs"/ }],
    [() => graph.op('Relu', [[x]]), { message: /Expected one output for Relu's input "features"/ }],
    [() => graph.op('MatMul', [x, x]), { name: 'TensorFlowError', code: 'INVALID_ARGUMENT' }],
    [() => x.operation.output(1), { message: /Expected an output of .* from 0 to 0 but received 1/ }]
  ]
  for (const [act, expected] of cases) t.throws(() => { act() }, expected as Error)
  t.equal(graph.apply('Relu', [x]).dtype, 'float32')
})

t.test('says undefined, not crash, for names that are not in the graph', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  graph.placeholder('float32', [], 'x')
  t.equal(graph.operation('y'), undefined)
  t.equal(graph.output('y:0'), undefined)
  t.equal(graph.output('x:1'), undefined)
  t.equal(graph.output('x')?.name, 'x:0')
})

t.test('lists its operations in order', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  graph.apply('Neg', [graph.placeholder('float32', [], 'x')], {}, { name: 'y' })
  t.strictSame([...graph.operations()].map(({ name, type }) => [name, type]), [['x', 'Placeholder'], ['y', 'Neg']])
})

t.test('imports a graph behind a prefix, with an input given from outside', async t => {
  const source = new Graph()
  const x = source.placeholder('float32', [], 'x')
  source.apply('Square', [x], {}, { name: 'y' })
  const target = new Graph()
  t.teardown(() => { source.dispose(); target.dispose() })
  target.importGraphDef(source.toGraphDef(), { prefix: 'copy', inputMap: { 'x:0': target.scalar('float32', 5) } })
  const [value] = await evaluate(target, [target.output('copy/y:0')!])
  t.strictSame(value, floats([], [25]))
})

t.test('imports only what the wanted outputs depend on', async t => {
  const source = new Graph()
  const x = source.placeholder('float32', [], 'x')
  const kept = source.apply('Square', [x], {}, { name: 'kept' })
  source.apply('Neg', [kept], {}, { name: 'dropped' })
  const target = new Graph()
  t.teardown(() => { source.dispose(); target.dispose() })
  target.importGraphDef(source.toGraphDef(), { outputs: ['kept:0'] })
  t.strictSame([...target.operations()].map(({ name }) => name), ['x', 'kept'])
})

t.test('finds a variable again in an imported graph', async t => {
  const source = new Graph()
  source.variable('layer/kernel', 'float32', [3, 2])
  const target = new Graph()
  t.teardown(() => { source.dispose(); target.dispose() })
  target.importGraphDef(source.toGraphDef(), { prefix: 'base' })
  const { name, dtype, shape } = target.existingVariable('base/layer/kernel')
  t.strictSame({ name, dtype, shape }, { name: 'base/layer/kernel', dtype: 'float32', shape: [3, 2] })
  t.throws(() => target.existingVariable('base/none'), { message: /no variable "base\/none"/ })
})

t.test('refuses a broken GraphDef', async t => {
  const graph = new Graph()
  t.teardown(() => { graph.dispose() })
  t.throws(() => { graph.importGraphDef(Uint8Array.of(255, 255, 255)) }, TensorFlowError)
})

t.test('runs constants of every numeric type through TensorFlow unchanged', async t => {
  const values: TensorValue[] = [
    floats([2], [1.5, -2]), { dtype: 'float64', shape: [1], data: Float64Array.of(Math.PI) },
    { dtype: 'int8', shape: [2], data: Int8Array.of(-128, 127) }, { dtype: 'uint16', shape: [1], data: Uint16Array.of(65535) },
    { dtype: 'int64', shape: [1], data: BigInt64Array.of(9007199254740993n) }, { dtype: 'uint64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) },
    { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }, { dtype: 'float16', shape: [1], data: Uint16Array.of(0x3c00) },
    { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) }, { dtype: 'complex64', shape: [1], data: Float32Array.of(1, -1) },
    { dtype: 'complex128', shape: [1], data: Float64Array.of(2, -2) }, { dtype: 'uint32', shape: [1], data: Uint32Array.of(4294967295) },
    { dtype: 'int16', shape: [0, 3], data: new Int16Array(0) }, { dtype: 'uint8', shape: [], data: Uint8Array.of(200) }, { dtype: 'int32', shape: [1, 1], data: Int32Array.of(-1) }
  ]
  for (const value of values) {
    await t.test(value.dtype, async t => {
      const graph = new Graph()
      t.teardown(() => { graph.dispose() })
      const attributes: Attributes = { dtype: value.dtype, value }
      t.strictSame(await evaluate(graph, [graph.apply('Const', [], attributes)]), [value])
    })
  }
})

t.test('a graph becomes a function that a loop calls', async t => {
  const graph = new Graph()
  const [condition, body] = [new Graph(), new Graph()]
  t.teardown(() => { for (const each of [graph, condition, body]) each.dispose() })
  const x = condition.placeholder('float32', [])
  const y = body.placeholder('float32', [])
  const cond = graph.defineFunction('is_small', condition, [x], [condition.apply('Less', [x, condition.scalar('float32', 100)])])
  const double = graph.defineFunction('double', body, [y], [body.apply('Mul', [y, body.scalar('float32', 2)])])
  t.match(double, /^double_/)
  t.equal(graph.defineFunction('double', body, [y], [body.output('Mul')!]), double, 'the same body is the same function')
  const looped = graph.op('While', [[graph.scalar('float32', 3)]], { cond, body: double, _lower_using_switch_merge: true })
  const [value] = await evaluate(graph, [looped.output()])
  t.strictSame(value, floats([], [192]))
})

t.test('a function brings along those that its body calls', async t => {
  const graph = new Graph()
  const [inner, outer] = [new Graph(), new Graph()]
  t.teardown(() => { for (const each of [graph, inner, outer]) each.dispose() })
  const x = inner.placeholder('float32', [])
  const square = outer.defineFunction('square', inner, [x], [inner.apply('Square', [x])])
  const y = outer.placeholder('float32', [])
  const twice = outer.op('PartitionedCall', [[outer.op('PartitionedCall', [[y]], { Tout: ['float32'], f: square }).output()]], { Tout: ['float32'], f: square })
  const f = graph.defineFunction('fourth_power', outer, [y], [twice.output()])
  const [value] = await evaluate(graph, [graph.op('PartitionedCall', [[graph.scalar('float32', 3)]], { Tout: ['float32'], f }).output()])
  t.strictSame(value, floats([], [81]))
})
