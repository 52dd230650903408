import { BadWeightsError } from '../../errors.ts'
import { floats, type TensorValue } from '../../tensorflow/index.ts'

/** Added to a variance before its root is taken; what the model was trained with. */
const BATCH_NORM_EPSILON = 1e-3

/** A layer's numbers the way TensorFlow lays them out, with the batch normalization behind it worked in. */
export interface LayerWeights {
  /** Float32 [H, W, inputs, outputs], depthwise [H, W, channels, 1], dense [inputs, outputs]. */
  readonly kernel: TensorValue
  /** Float32 [outputs], depthwise [channels]. */
  readonly bias: TensorValue
}

/** Hands out the tensors of a PyTorch EfficientNet by name, each checked against the shape it has to have, and knows which are left. */
export class PytorchWeights {
  readonly #tensors: ReadonlyMap<string, TensorValue>
  readonly #unused: Set<string>

  constructor (tensors: ReadonlyMap<string, TensorValue>) {
    this.#tensors = tensors
    this.#unused = new Set(tensors.keys())
  }

  /** @param size side of the kernel. @throws BadWeightsError if a tensor is missing or has another shape */
  convolution (name: string, norm: string, { size, inputs, outputs }: { size: number, inputs: number, outputs: number }): LayerWeights {
    const kernel = this.#floats(`${name}.weight`, [outputs, inputs, size, size])
    const { scale, shift } = this.#batchNorm(norm, outputs)
    const pixels = size * size
    const folded = new Float32Array(kernel.length)
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++) {
        for (let pixel = 0; pixel < pixels; pixel++) {
          folded[(pixel * inputs + input) * outputs + output] = kernel[(output * inputs + input) * pixels + pixel]! * scale[output]!
        }
      }
    }
    return { kernel: floats([size, size, inputs, outputs], folded), bias: floats([outputs], shift) }
  }

  /** As `convolution`, one kernel for each channel. */
  depthwise (name: string, norm: string, { size, channels }: { size: number, channels: number }): LayerWeights {
    const kernel = this.#floats(`${name}.weight`, [channels, 1, size, size])
    const { scale, shift } = this.#batchNorm(norm, channels)
    const pixels = size * size
    const folded = new Float32Array(kernel.length)
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++) folded[pixel * channels + channel] = kernel[channel * pixels + pixel]! * scale[channel]!
    }
    return { kernel: floats([size, size, channels, 1], folded), bias: floats([channels], shift) }
  }

  dense (name: string, { inputs, outputs }: { inputs: number, outputs: number }): LayerWeights {
    const kernel = this.#floats(`${name}.weight`, [outputs, inputs])
    const transposed = new Float32Array(kernel.length)
    for (let output = 0; output < outputs; output++) {
      for (let input = 0; input < inputs; input++) transposed[input * outputs + output] = kernel[output * inputs + input]!
    }
    return { kernel: floats([inputs, outputs], transposed), bias: floats([outputs], this.#floats(`${name}.bias`, [outputs])) }
  }

  /** @throws BadWeightsError if there are tensors nobody asked for: then the file is of another model. Counters of training steps are none */
  assertAllUsed (): void {
    const left = [...this.#unused].filter(name => !name.endsWith('.num_batches_tracked'))
    if (left.length > 0) throw new BadWeightsError(`the file has ${left.length} tensors that the model has no place for, "${left[0]}" among them`)
  }

  /** (x − mean) ÷ √(variance + ε) × weight + bias, as x × scale + shift. */
  #batchNorm (name: string, channels: number): { scale: Float64Array, shift: Float32Array } {
    const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(part => this.#floats(`${name}.${part}`, [channels]))
    const scale = Float64Array.from(weight!, (value, channel) => value / Math.sqrt(variance![channel]! + BATCH_NORM_EPSILON))
    const shift = Float32Array.from(bias!, (value, channel) => value - mean![channel]! * scale[channel]!)
    return { scale, shift }
  }

  #floats (name: string, shape: readonly number[]): Float32Array {
    const tensor = this.#tensors.get(name)
    if (tensor === undefined) throw new BadWeightsError(`the file has no tensor "${name}"`)
    if (!(tensor.data instanceof Float32Array) || tensor.shape.join() !== shape.join()) {
      throw new BadWeightsError(`"${name}" is ${tensor.dtype} [${tensor.shape.join(', ')}]; needed is float32 [${shape.join(', ')}]`)
    }
    this.#unused.delete(name)
    return tensor.data
  }
}
