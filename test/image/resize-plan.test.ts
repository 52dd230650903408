import t from 'tap'
import { planResize } from '../../src/image/resize-plan.ts'
import { contractOf } from '../support/images.ts'

t.test('fill stretches to the frame', async t => {
  t.strictSame(planResize({ width: 640, height: 427 }, contractOf({ width: 224, height: 200 })), {
    resized: { width: 224, height: 200 },
    kept: { width: 224, height: 200, left: 0, top: 0 },
    placed: { left: 0, top: 0 }
  })
})

t.test('cover keeps the shape and cuts what hangs over at the centre', async t => {
  t.strictSame(planResize({ width: 640, height: 320 }, contractOf({ width: 100, height: 100, fit: 'cover' })), {
    resized: { width: 200, height: 100 },
    kept: { width: 100, height: 100, left: 50, top: 0 },
    placed: { left: 0, top: 0 }
  })
})

t.test('cover with a crop fraction resizes to more and keeps the middle: 224 out of 256', async t => {
  t.strictSame(planResize({ width: 1024, height: 512 }, contractOf({ width: 224, height: 224, fit: 'cover', cropFraction: 0.875 })), {
    resized: { width: 512, height: 256 },
    kept: { width: 224, height: 224, left: 144, top: 16 },
    placed: { left: 0, top: 0 }
  })
})

t.test('contain keeps the shape and lies in the middle', async t => {
  t.strictSame(planResize({ width: 640, height: 320 }, contractOf({ width: 100, height: 101, fit: 'contain' })), {
    resized: { width: 100, height: 50 },
    kept: { width: 100, height: 50, left: 0, top: 0 },
    placed: { left: 0, top: 25 }
  })
})

t.test('a line keeps at least one pixel of its thickness', async t => {
  t.strictSame(planResize({ width: 5000, height: 1 }, contractOf({ width: 100, height: 100, fit: 'contain' })).resized, { width: 100, height: 1 })
})

t.test('cover fills the frame whatever the sides round to', async t => {
  for (let width = 1; width < 60; width++) {
    for (let height = 1; height < 60; height++) {
      const { kept } = planResize({ width, height }, contractOf({ width: 31, height: 17, fit: 'cover', cropFraction: 0.9 }))
      if (kept.width !== 31 || kept.height !== 17 || kept.left < 0 || kept.top < 0) t.fail(`${width}×${height} leaves ${kept.width}×${kept.height}`)
    }
  }
})
