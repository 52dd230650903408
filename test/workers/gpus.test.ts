import t from 'tap'
import { gpuEnvironment, visibleGpus } from '../../src/workers/gpus.ts'

/** As nvidia-smi -L of driver 535 writes it. */
const TWO = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b1028956-cfa2-0990-bf4a-5da9abb51763)
`
const SPLIT = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b1028956-cfa2-0990-bf4a-5da9abb51763)
`

function notAsked (): string {
  throw new Error('nvidia-smi was asked though CUDA_VISIBLE_DEVICES says which GPUs there are')
}

t.test('all GPUs are used, a split one by its parts', async t => {
  t.strictSame(visibleGpus({}, () => TWO), ['GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77', 'GPU-b1028956-cfa2-0990-bf4a-5da9abb51763'])
  t.strictSame(visibleGpus({}, () => SPLIT), ['MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f', 'MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb', 'GPU-b1028956-cfa2-0990-bf4a-5da9abb51763'])
  t.strictSame(visibleGpus({}, () => ''), [])
  t.strictSame(visibleGpus({}, () => 'No devices found.\n'), [])
})

t.test('where the operator says which, those are', async t => {
  const given = (list: string): string[] => visibleGpus({ CUDA_VISIBLE_DEVICES: list }, notAsked)
  t.strictSame(given('2, 3'), ['2', '3'])
  t.strictSame(given('GPU-5d5b,MIG-c6d4'), ['GPU-5d5b', 'MIG-c6d4'])
  t.strictSame(given('0,-1,1'), ['0'], 'the first that is none ends the list')
  t.strictSame([given(''), given('-1'), given('none')], [[], [], []])
})

t.test('workers take the GPUs in turn, and nothing is said where there is but one', async t => {
  t.strictSame([0, 1, 2].map(place => gpuEnvironment(['4', '6'], place)), [{ CUDA_VISIBLE_DEVICES: '4' }, { CUDA_VISIBLE_DEVICES: '6' }, { CUDA_VISIBLE_DEVICES: '4' }])
  t.strictSame([gpuEnvironment(['4'], 0), gpuEnvironment([], 1)], [{}, {}])
})
