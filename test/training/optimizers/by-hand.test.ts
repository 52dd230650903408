import t, { type Test } from 'tap'
import type { ClipOptions } from '../../../src/training/clip-gradients.ts'
import { adadelta, adam, adamW, nadam, rmsprop, sgd, withWeightDecay } from '../../../src/training/optimizers.ts'
import { Trainer } from '../../../src/training/trainer.ts'
import { FIRST_WEIGHTS, gradientAt, trainLinear } from '../../support/linear-training.ts'
import { onlyValues, points, smallTraining } from '../../support/small-training.ts'

const STEPS = 10

/** Follows an optimizer's paper, one weight at a time. @returns the weights after ten steps */
function byHand (change: (gradient: number, weight: number, kept: Record<string, number>, step: number) => number): number[] {
  let weights = FIRST_WEIGHTS
  const kept = weights.map(() => ({}))
  for (let step = 1; step <= STEPS; step++) {
    const gradients = gradientAt(weights)
    weights = weights.map((weight, index) => weight - change(gradients[index]!, weight, kept[index]!, step))
  }
  return weights
}

/** float32 against float64: some 1e-7 a step. */
function isNear (t: Test, found: number[], expected: number[]): void {
  t.ok(found.every((value, index) => Math.abs(value - expected[index]!) < 1e-5), 'as by hand', { found, expected })
}

function moments (gradient: number, kept: Record<string, number>): { m: number, v: number } {
  kept['m'] = 0.9 * (kept['m'] ?? 0) + 0.1 * gradient
  kept['v'] = 0.999 * (kept['v'] ?? 0) + 0.001 * gradient ** 2
  return { m: kept['m'], v: kept['v'] }
}

const adamChange = (gradient: number, kept: Record<string, number>, step: number): number => {
  const { m, v } = moments(gradient, kept)
  return 0.1 * (m / (1 - 0.9 ** step)) / (Math.sqrt(v / (1 - 0.999 ** step)) + 1e-7)
}

t.test('adamW shrinks weights by rate × decay beside Adam\'s step', async t => {
  const expected = byHand((gradient, weight, kept, step) => 0.1 * 0.2 * weight + adamChange(gradient, kept, step))
  isNear(t, await trainLinear({ optimizer: adamW({ learningRate: 0.1, weightDecay: 0.2 }) }, STEPS), expected)
})

t.test('any optimizer can decay weights, and which of them can be said', async t => {
  const rate = { learningRate: 0.1 }
  const expected = byHand((gradient, weight) => 0.1 * 0.3 * weight + 0.1 * gradient)
  isNear(t, await trainLinear({ optimizer: withWeightDecay(sgd(rate), { weightDecay: 0.3 }) }, STEPS), expected)
  t.strictSame(await trainLinear({ optimizer: withWeightDecay(sgd(rate), { weightDecay: 0.3, decays: () => false }) }, STEPS), await trainLinear({ optimizer: sgd(rate) }, STEPS))
})

t.test('amsgrad divides by the largest second moment so far', async t => {
  const expected = byHand((gradient, _weight, kept, step) => {
    const { m, v } = moments(gradient, kept)
    kept['top'] = Math.max(kept['top'] ?? 0, v)
    return 0.3 * Math.sqrt(1 - 0.999 ** step) / (1 - 0.9 ** step) * m / (Math.sqrt(kept['top']) + 1e-7)
  })
  isNear(t, await trainLinear({ optimizer: adam({ learningRate: 0.3, amsgrad: true }) }, STEPS), expected)
})

t.test('nadam looks ahead with a momentum that grows, as Keras\' does', async t => {
  const momentum = (step: number): number => 0.9 * (1 - 0.5 * 0.96 ** step)
  const expected = byHand((gradient, _weight, kept, step) => {
    const { m, v } = moments(gradient, kept)
    const product = kept['product'] = (kept['product'] ?? 1) * momentum(step)
    const ahead = momentum(step + 1) * m / (1 - product * momentum(step + 1)) + (1 - momentum(step)) * gradient / (1 - product)
    return 0.1 * ahead / (Math.sqrt(v / (1 - 0.999 ** step)) + 1e-7)
  })
  isNear(t, await trainLinear({ optimizer: nadam({ learningRate: 0.1 }) }, STEPS), expected)
})

t.test('centered rmsprop divides by the deviation', async t => {
  const expected = byHand((gradient, _weight, kept) => {
    const mean = kept['mean'] = 0.9 * (kept['mean'] ?? 0) + 0.1 * gradient
    const square = kept['square'] = 0.9 * (kept['square'] ?? 0) + 0.1 * gradient ** 2
    kept['momentum'] = 0.5 * (kept['momentum'] ?? 0) + 0.01 * gradient / Math.sqrt(square - mean ** 2 + 1e-3)
    return kept['momentum']
  })
  isNear(t, await trainLinear({ optimizer: rmsprop({ learningRate: 0.01, momentum: 0.5, centered: true, epsilon: 1e-3 }) }, STEPS), expected)
})

t.test('adadelta takes steps of the size of the last ones', async t => {
  const expected = byHand((gradient, _weight, kept) => {
    const square = kept['square'] = 0.9 * (kept['square'] ?? 0) + 0.1 * gradient ** 2
    const step = gradient * Math.sqrt((kept['change'] ?? 0) + 1e-4) / Math.sqrt(square + 1e-4)
    kept['change'] = 0.9 * (kept['change'] ?? 0) + 0.1 * step ** 2
    return 0.5 * step
  })
  isNear(t, await trainLinear({ optimizer: adadelta({ learningRate: 0.5, rho: 0.9, epsilon: 1e-4 }) }, STEPS), expected)
})

t.test('a schedule is asked for the rate of each step, from 0', async t => {
  const asked: number[] = []
  const learningRate = (step: number): number => { asked.push(step); return 0.1 / (step + 1) }
  isNear(t, await trainLinear({ optimizer: sgd({ learningRate }) }, STEPS), byHand((gradient, _weight, _kept, step) => 0.1 / step * gradient))
  t.strictSame([...new Set(asked)], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

t.test('clipping by value bounds each element', async t => {
  const clip = { value: 0.05 }
  isNear(t, await trainLinear({ optimizer: sgd({ learningRate: 0.1 }), clip }, STEPS), byHand(gradient => 0.1 * Math.max(-0.05, Math.min(0.05, gradient))))
})

const CLIP = 0.4

for (const clip of [{ norm: CLIP }, { globalNorm: CLIP }]) {
  t.test(`clipping by ${Object.keys(clip)[0]} keeps the direction of a long gradient and all of a short one`, async t => {
    let weights = FIRST_WEIGHTS
    let clippedSteps = 0
    for (let step = 0; step < STEPS; step++) {
      const gradients = gradientAt(weights)
      const length = Math.hypot(...gradients)
      if (length > CLIP) clippedSteps++
      weights = weights.map((weight, index) => weight - 0.3 * gradients[index]! * Math.min(1, CLIP / length))
    }
    t.ok(clippedSteps > 1 && clippedSteps < STEPS, 'some are clipped, some are not', { clippedSteps })
    isNear(t, await trainLinear({ optimizer: sgd({ learningRate: 0.3 }), clip }, STEPS), weights)
  })
}

t.test('a norm is of each variable, a global norm of all together', async t => {
  /** How far each variable moves in one step of plain gradient descent with rate 1: the length of its gradient. */
  const lengths = async (clip: ClipOptions): Promise<number[]> => {
    const trainer = await Trainer.create(smallTraining({ optimizer: sgd({ learningRate: 1 }), clip }))
    const before = onlyValues(await trainer.values())
    await trainer.fit({ data: points(16), epochs: 1, batchSize: 16 })
    const after = onlyValues(await trainer.values())
    await trainer.close()
    const learned = before.map((value, index) => Math.hypot(...(value.data as Float32Array).map((number, at) => number - Number(after[index]!.data[at]))))
    return learned.slice(0, 6) // the moving averages are last
  }
  const free = await lengths({})
  t.ok(free.filter(length => length > 0.1).length > 2, 'several are longer than the bound', { free })
  const each = await lengths({ norm: 0.1 })
  t.ok(each.every((length, index) => Math.abs(length - Math.min(free[index]!, 0.1)) < 1e-5), 'each', { each })
  const all = await lengths({ globalNorm: 0.1 })
  t.ok(all.every((length, index) => Math.abs(length - free[index]! * 0.1 / Math.hypot(...free)) < 1e-5), 'all', { all, free })
})

t.test('gradients of four steps change the weights once, as those of one batch four times as large', async t => {
  for (const optimizer of [sgd({ learningRate: 0.1, momentum: 0.9 }), adam({ learningRate: 0.1 })]) {
    isNear(t, await trainLinear({ optimizer, accumulate: 4 }, 20, 2), await trainLinear({ optimizer }, 5))
  }
})

t.test('steps between leave the weights as they are', async t => {
  t.strictSame(await trainLinear({ optimizer: sgd({ learningRate: 0.1 }), accumulate: 5 }, 4, 2), FIRST_WEIGHTS.map(Math.fround))
})

t.test('with accumulation a schedule counts the changes of the weights', async t => {
  const learningRate = (step: number): number => 0.1 / (step + 1)
  isNear(t, await trainLinear({ optimizer: sgd({ learningRate }), accumulate: 4 }, 20, 2), await trainLinear({ optimizer: sgd({ learningRate }) }, 5))
})
