import t from 'tap'
import { isTurned, storedPart, turnOf, turnSize } from '../../src/image/orientation.ts'

const whole = { width: 60, height: 40 }
const part = { left: 5, top: 3, width: 20, height: 10 }

/** Where the part lies in the stored picture, by EXIF's orientation: 5 from the left and 35 from the right, 3 from the top and 27 from the bottom. */
const stored: Record<number, typeof part> = {
  1: part,
  2: { left: 35, top: 3, width: 20, height: 10 },
  3: { left: 35, top: 27, width: 20, height: 10 },
  4: { left: 5, top: 27, width: 20, height: 10 },
  5: { left: 3, top: 5, width: 10, height: 20 },
  6: { left: 3, top: 35, width: 10, height: 20 },
  7: { left: 27, top: 35, width: 10, height: 20 },
  8: { left: 27, top: 5, width: 10, height: 20 }
}

for (const [orientation, expected] of Object.entries(stored)) {
  t.test(`a part of a picture of EXIF orientation ${orientation} is found where it is stored`, async t => {
    const turn = turnOf(Number(orientation))
    t.strictSame(storedPart(part, whole, turn), expected)
    t.strictSame(turnSize(part, turn), { width: expected.width, height: expected.height })
    t.equal(isTurned(turn), orientation !== '1')
  })
}

t.test('a number that EXIF does not know turns nothing', async t => {
  t.strictSame([0, 9, 65_535].map(orientation => isTurned(turnOf(orientation))), [false, false, false])
})
