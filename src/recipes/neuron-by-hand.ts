import { derivedSeed, shuffledRows } from '../training/random.ts'

/** What a neuron learns from. */
export interface Examples {
  readonly rows: number
  readonly inputs: (row: number) => Float32Array
  /** 0 or 1. */
  readonly answer: (row: number) => number
}

/** A sigmoid neuron in plain TypeScript: what the graph does, to be read. */
export class Neuron {
  /** One for each input; the bias last, as the weight of an input that is always 1. */
  readonly weights: Float64Array

  /** @param weights without the bias, which is 0 at first */
  constructor (weights: Float32Array) {
    this.weights = Float64Array.of(...weights, 0)
  }

  /** Probability of 1. */
  forward (inputs: Float32Array): number {
    let sum = this.weights.at(-1)!
    for (let index = 0; index < inputs.length; index++) sum += this.weights[index]! * inputs[index]!
    return 1 / (1 + Math.exp(-sum))
  }

  /**
   * The mean binary cross-entropy's gradient by each weight. By the neuron's sum it is simply probability − answer, so by a weight it is that
   * times the weight's input.
   */
  gradient ({ inputs, answer }: Examples, rows: Int32Array): Float64Array {
    const gradient = new Float64Array(this.weights.length)
    for (const row of rows) {
      const x = inputs(row)
      const error = (this.forward(x) - answer(row)) / rows.length
      for (let index = 0; index < x.length; index++) gradient[index]! += error * x[index]!
      gradient[x.length]! += error
    }
    return gradient
  }

  /** Share of rows that it is right about. */
  accuracy ({ rows, inputs, answer }: Examples): number {
    let right = 0
    for (let row = 0; row < rows; row++) if (Math.round(this.forward(inputs(row))) === answer(row)) right++
    return right / rows
  }
}

export interface DescentOptions {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Share of the last step that the next one keeps. */
  readonly momentum: number
  /** Decides the order of rows, as it does for `Trainer`. */
  readonly seed: number
}

/** Gradient descent with momentum. Changes the neuron's weights. */
export function descend (neuron: Neuron, examples: Examples, { epochs, batchSize, learningRate, momentum, seed }: DescentOptions): void {
  const velocity = new Float64Array(neuron.weights.length)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffledRows(examples.rows, derivedSeed(seed, epoch))
    for (let start = 0; start < order.length; start += batchSize) {
      const gradient = neuron.gradient(examples, order.subarray(start, start + batchSize))
      for (let index = 0; index < velocity.length; index++) {
        velocity[index] = momentum * velocity[index]! - learningRate * gradient[index]!
        neuron.weights[index]! += velocity[index]!
      }
    }
  }
}
