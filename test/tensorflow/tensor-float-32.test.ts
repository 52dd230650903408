import t from 'tap'
import { useTensorFloat32 } from '../../src/tensorflow/index.ts'

t.test('TensorFlow takes the switch for TensorFloat-32, both ways', async t => {
  t.equal(useTensorFloat32(false), false)
  t.equal(useTensorFloat32(true), true)
})
