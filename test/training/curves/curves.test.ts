import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { activationCurves } from '../../../src/training/curves/activation-curves.ts'
import { main } from '../../../src/training/curves/command.ts'
import type { Curve } from '../../../src/training/curves/curve.ts'
import { lossCurves } from '../../../src/training/curves/loss-curves.ts'
import { scheduleCurves } from '../../../src/training/curves/schedule-curves.ts'

function at (curves: readonly Curve[], name: string, x: number): number {
  const { points } = curves.find(curve => curve.name === name)!
  return points.reduce((nearest, point) => Math.abs(point[0] - x) < Math.abs(nearest[0] - x) ? point : nearest)[1]
}

t.test('activations are what their formulas say', async t => {
  const curves = await activationCurves()
  const expected: Record<string, (x: number) => number> = {
    sigmoid: x => 1 / (1 + Math.exp(-x)),
    tanh: Math.tanh,
    relu: x => Math.max(0, x),
    leakyReLU: x => x > 0 ? x : 0.1 * x,
    elu: x => x > 0 ? x : Math.exp(x) - 1,
    swish: x => x / (1 + Math.exp(-x)),
    softplus: x => Math.log1p(Math.exp(x)),
    softsign: x => x / (1 + Math.abs(x)),
    mish: x => x * Math.tanh(Math.log1p(Math.exp(x))),
    hardSigmoid: x => Math.min(1, Math.max(0, 0.2 * x + 0.5))
  }
  for (const [name, formula] of Object.entries(expected)) {
    for (const x of [-3, -0.5, 0, 1, 4]) t.ok(Math.abs(at(curves, name, x) - formula(x)) < 1e-5, `${name} of ${x}`)
  }
})

t.test('losses are what their formulas say', async t => {
  const curves = (await lossCurves()).flatMap(group => group.curves)
  for (const [name, x, expected] of [
    ['meanSquaredError', -3, 9], ['meanAbsoluteError', 3, 3], ['huber', 3, 2.5], ['logcosh', 3, Math.log(Math.cosh(3))],
    ['it is 1', 0.01, -Math.log(0.01)], ['it is 0', 0.99, -Math.log(0.01)], ['hinge', -2, 3], ['squaredHinge', -2, 9],
    ['meanSquaredLogarithmicError', 3, Math.log(2) ** 2], ['poisson', 3, 3 - Math.log(3)]
  ] as const) t.ok(Math.abs(at(curves, name, x) - expected) < 1e-4, `${name} of ${x}`)
})

t.test('schedules end where they are to end', async t => {
  const curves = scheduleCurves()
  t.equal(at(curves, 'piecewise', 1000), 0.001)
  t.ok(at(curves, 'cosineDecay', 1000) < 1e-9)
  t.equal(at(curves, 'oneCycle', 300), 0.01)
})

/** Runs the command as a user would. */
async function run (argv: readonly string[]): Promise<{ code: number, out: string, err: string }> {
  const written = { out: '', err: '' }
  const code = await main(argv, { out: { write: text => { written.out += text } }, err: { write: text => { written.err += text } } })
  return { code, ...written }
}

t.test('pictures are written as SVG and PNG', async t => {
  const folder = join(t.testdir(), 'new')
  const { code, out, err } = await run(['activations', 'losses', 'schedules', '--out', folder])
  t.equal(code, 0, err)
  t.equal(out.match(/^Drew /gm)?.length, 3)
  t.match(readFileSync(join(folder, 'activations.svg'), 'utf8'), />Activation functions<[^]*>gelu</)
  t.match(readFileSync(join(folder, 'losses.svg'), 'utf8'), />huber</)
  for (const name of ['activations', 'losses', 'schedules']) t.strictSame([...readFileSync(join(folder, `${name}.png`)).subarray(1, 4)], [...Buffer.from('PNG')])
})

t.test('a picture that is none is refused, with those there are', async t => {
  t.match(await run(['gradients']), { code: 1, err: 'There is no picture "gradients"; there are: activations, losses, schedules\n' })
  t.match(await run([]), { code: 1, err: /^Name a picture\./ })
  t.match(await run(['--paper']), { code: 1, err: /Unknown option '--paper'/ })
  t.match(await run(['--help']), { code: 0, out: /npm run plot/ })
})
