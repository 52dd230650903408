import { gzipSync } from 'node:zlib'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseIdx, readIdxImages } from '../../../src/training/datasets/idx.ts'
import { idxFile } from '../../support/idx-files.ts'

const images = idxFile([3, 2, 2], Array.from({ length: 12 }, (_, index) => index * 20))
const labels = idxFile([3], [0, 2, 1])

t.test('images get a channel, labels stay a row', async t => {
  const directory = t.testdir()
  await writeFile(join(directory, 'train-images-idx3-ubyte'), images)
  await writeFile(join(directory, 'train-labels-idx1-ubyte.gz'), gzipSync(labels))
  t.strictSame(await readIdxImages(directory, 'train', 3), {
    images: { dtype: 'uint8', shape: [3, 2, 2, 1], data: Uint8Array.from({ length: 12 }, (_, index) => index * 20) },
    labels: { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 2, 1) }
  })
})

t.test('what is wrong with a file is said, with its path', async t => {
  const cases: [bytes: Uint8Array, message: string][] = [
    [images.subarray(0, 10), 'x.idx is too short for an IDX file: 10 bytes'],
    [Buffer.from('PK\u0003\u0004 something else altogether'), 'x.idx is not an IDX file: it has to start with two zero bytes'],
    [labels, 'x.idx is too short for an IDX file: 11 bytes'],
    [idxFile([3, 4], new Array<number>(12).fill(1)), 'x.idx holds type 8 in 2 dimensions, expected unsigned bytes (8) in 3'],
    [Buffer.concat([Buffer.of(0, 0, 0x0d, 3), images.subarray(4)]), 'x.idx holds type 13 in 3 dimensions, expected unsigned bytes (8) in 3'],
    [images.subarray(0, -1), 'x.idx has 11 bytes of data, its shape [3, 2, 2] needs 12'],
    [Buffer.concat([images, Buffer.of(0)]), 'x.idx has 13 bytes of data, its shape [3, 2, 2] needs 12'],
    [idxFile([0, 2, 2], []), 'x.idx is empty: its shape is [0, 2, 2]']
  ]
  for (const [bytes, message] of cases) t.throws(() => parseIdx(bytes, 'x.idx', 3), { code: 'TRAIN_BAD_DATASET', message })
})

t.test('files that do not belong together are refused', async t => {
  const directory = t.testdir()
  await t.rejects(readIdxImages(directory, 't10k', 3), { code: 'TRAIN_BAD_DATASET', message: `There is no t10k-images-idx3-ubyte.gz or t10k-images-idx3-ubyte in ${directory}` })
  await writeFile(join(directory, 't10k-images-idx3-ubyte'), images)
  await writeFile(join(directory, 't10k-labels-idx1-ubyte'), idxFile([2], [0, 1]))
  await t.rejects(readIdxImages(directory, 't10k', 3), { message: `${directory} has 3 images but 2 labels in its "t10k" files` })
  await writeFile(join(directory, 't10k-labels-idx1-ubyte'), labels)
  await t.rejects(readIdxImages(directory, 't10k', 2), { message: `${directory} has label 2 for image 1 of "t10k", there are 2 classes` })
  await writeFile(join(directory, 't10k-labels-idx1-ubyte.gz'), gzipSync(labels).subarray(0, 20))
  await t.rejects(readIdxImages(directory, 't10k', 3), { code: 'TRAIN_BAD_DATASET', message: /t10k-labels-idx1-ubyte\.gz can not be unpacked/ })
})
