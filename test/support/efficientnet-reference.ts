import type { Graph, Output, TensorValue } from '../../src/tensorflow/index.ts'

/**
 * EfficientNet-Lite0 spelt out once more, the way PyTorch's code has it: kernels transposed in the graph, batch normalization an operation
 * of its own, blocks from the notation of the paper's code. Shares nothing with the implementation under test.
 *
 * @returns float32 [N, 1000], the logits
 */
export function referenceLogits (graph: Graph, pixels: Output, tensors: ReadonlyMap<string, TensorValue>): Output {
  const constant = (name: string): Output => graph.constant(tensors.get(name)!)
  const transposed = (name: string, order: number[]): Output => graph.apply('Transpose', [constant(`${name}.weight`), graph.ints(order)])
  const norm = (x: Output, name: string): Output => {
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map(part => constant(`${name}.${part}`))
    return graph.op('FusedBatchNormV3', [x, ...parts], { epsilon: 1e-3, is_training: false }).output(0)
  }
  const relu6 = (x: Output): Output => graph.apply('Minimum', [graph.apply('Relu', [x]), graph.scalar('float32', 6)])
  const conv = (x: Output, name: string, stride: number): Output =>
    graph.apply('Conv2D', [x, transposed(name, [2, 3, 1, 0])], { strides: [1, stride, stride, 1], padding: 'SAME' })
  const depthwise = (x: Output, name: string, stride: number): Output =>
    graph.apply('DepthwiseConv2dNative', [x, transposed(name, [2, 3, 0, 1])], { strides: [1, stride, stride, 1], padding: 'SAME' })

  const centred = graph.apply('Sub', [graph.apply('Cast', [pixels], { DstT: 'float32' }), graph.scalar('float32', 127)])
  let x = relu6(norm(conv(graph.apply('RealDiv', [centred, graph.scalar('float32', 128)]), '_conv_stem', 2), '_bn0'))
  let index = 0
  for (const stage of ['r1_s1_e1_i32_o16', 'r2_s2_e6_i16_o24', 'r2_s2_e6_i24_o40', 'r3_s2_e6_i40_o80', 'r3_s1_e6_i80_o112', 'r4_s2_e6_i112_o192', 'r1_s1_e6_i192_o320']) {
    const [repeats, firstStride, expansion] = stage.match(/\d+/g)!.map(Number)
    for (let repeat = 0; repeat < repeats!; repeat++, index++) {
      const name = `_blocks.${index}`
      const input = x
      if (expansion !== 1) x = relu6(norm(conv(x, `${name}._expand_conv`, 1), `${name}._bn0`))
      x = relu6(norm(depthwise(x, `${name}._depthwise_conv`, repeat === 0 ? firstStride! : 1), `${name}._bn1`))
      x = norm(conv(x, `${name}._project_conv`, 1), `${name}._bn2`)
      if (repeat > 0) x = graph.apply('AddV2', [x, input])
    }
  }
  x = relu6(norm(conv(x, '_conv_head', 1), '_bn1'))
  x = graph.apply('Mean', [x, graph.ints([1, 2])])
  return graph.apply('BiasAdd', [graph.apply('MatMul', [x, constant('_fc.weight')], { transpose_b: true }), constant('_fc.bias')])
}
