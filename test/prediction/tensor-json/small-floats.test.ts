import t from 'tap'
import { BFLOAT16, FLOAT16, fromFloatBits, toFloatBits } from '../../../src/prediction/tensor-json/small-floats.ts'

for (const [name, layout] of [['float16', FLOAT16], ['bfloat16', BFLOAT16]] as const) {
  t.test(`every ${name} but NaN comes back from its number with the same bits`, async t => {
    const changed: number[] = []
    for (let bits = 0; bits < 65536; bits++) {
      const number = fromFloatBits(bits, layout)
      if (!Number.isNaN(number) && toFloatBits(number, layout) !== bits) changed.push(bits)
    }
    t.strictSame(changed, [])
  })

  t.test(`NaN stays NaN in ${name}`, async t => {
    t.ok(Number.isNaN(fromFloatBits(toFloatBits(NaN, layout), layout)))
  })

  t.test(`a number between two ${name}s goes to the nearer, in the middle to the even one`, async t => {
    for (let bits = 0; bits < 0x7000; bits += 977) {
      const [lower, upper] = [fromFloatBits(bits, layout), fromFloatBits(bits + 1, layout)]
      const middle = (lower + upper) / 2
      const gap = upper - lower
      t.equal(toFloatBits(middle - gap / 8, layout), bits)
      t.equal(toFloatBits(middle + gap / 8, layout), bits + 1)
      t.equal(toFloatBits(middle, layout), bits % 2 === 0 ? bits : bits + 1)
    }
  })
}

t.test('known halves have the bits of IEEE 754', async t => {
  const bits = [1, -2, 65504, 2 ** -24, 1 / 3, 65520, -Infinity].map(value => toFloatBits(value, FLOAT16))
  t.strictSame(bits, [0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555, 0x7c00, 0xfc00])
})

t.test('known bfloat16s are the rounded upper half of the float32', async t => {
  const bits = [1, 3.140625, 3.3895313892515355e38, 1e-45].map(value => toFloatBits(value, BFLOAT16))
  t.strictSame(bits, [0x3f80, 0x4049, 0x7f7f, 0x0000])
})
