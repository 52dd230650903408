import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import t from 'tap'
import { CIFAR10_LABELS, loadCifar10 } from '../../../src/training/datasets/cifar10.ts'
import { readImageArchive } from '../../../src/training/datasets/image-archive.ts'
import { plainPng } from '../../support/plain-png.ts'

/** A label, then its planes: red is 10, green 20, blue 30, but for the first pixel's red, which is the label. */
function cifarRecord (label: number): Buffer {
  const record = Buffer.concat([Buffer.of(label), Buffer.alloc(1024, 10), Buffer.alloc(1024, 20), Buffer.alloc(1024, 30)])
  record[1] = label
  return record
}

async function writeArchive (path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const archive = pack()
  for (const [name, bytes] of Object.entries(files)) archive.entry({ name }, Buffer.from(bytes))
  archive.finalize()
  await pipeline(archive, createGzip(), createWriteStream(path))
}

t.test('the binary version\'s planes become pixels, batch after batch', async t => {
  const directory = t.testdir()
  await writeFile(join(directory, 'data_batch_2.bin'), cifarRecord(7))
  await writeFile(join(directory, 'data_batch_1.bin'), Buffer.concat([cifarRecord(3), cifarRecord(9)]))
  await writeFile(join(directory, 'test_batch.bin'), cifarRecord(0))
  const { train, test } = await loadCifar10(directory)
  t.strictSame(train.images.shape, [3, 32, 32, 3])
  t.strictSame(train.labels, { dtype: 'uint8', shape: [3], data: Uint8Array.of(3, 9, 7) })
  t.strictSame([...(train.images.data as Uint8Array).subarray(3072, 3078)], [9, 20, 30, 10, 20, 30])
  t.strictSame(test.labels.data, Uint8Array.of(0))
})

t.test('archives of class folders are decoded without being unpacked', async t => {
  const directory = t.testdir()
  const files = Object.fromEntries(await Promise.all(CIFAR10_LABELS.map(async (label, index) => [`part/${label}/1.png`, await plainPng(32, 32, [index * 20, 5, 9])] as const)))
  for (const part of ['train', 'test']) await writeArchive(join(directory, `small-${part}.tar.gz`), { ...files, 'part/README': 'no image', 'part/frog/.hidden': 'nor this' })
  const { train } = await loadCifar10(directory)
  t.strictSame(train.labels.data, Uint8Array.from({ length: 10 }, (_, label) => label))
  t.strictSame([...(train.images.data as Uint8Array).subarray(4 * 3072, 4 * 3072 + 3)], [80, 5, 9])
})

t.test('what is wrong with a file is said, with its path', async t => {
  const directory = t.testdir()
  await t.rejects(loadCifar10(directory), { code: 'TRAIN_BAD_DATASET', message: /has no CIFAR-10 images for "train"/ })
  await t.rejects(loadCifar10(join(directory, 'none')), { code: 'TRAIN_BAD_DATASET', message: /none can not be read: ENOENT/ })
  const binary = join(directory, 'data_batch_1.bin')
  await writeFile(join(directory, 'test_batch.bin'), cifarRecord(0))
  await writeFile(binary, cifarRecord(1).subarray(1))
  await t.rejects(loadCifar10(directory), { code: 'TRAIN_BAD_DATASET', message: `${binary} has 3072 bytes, which is not a number of records of 3073` })
  await writeFile(binary, Buffer.concat([cifarRecord(1), cifarRecord(10)]))
  await t.rejects(loadCifar10(directory), { message: `${binary} has the label 10 in record 1, there are 10 classes` })
})

t.test('a broken archive, a broken image and an empty class are told apart', async t => {
  const path = join(t.testdir(), 'set.tar.gz')
  const size = { height: 4, width: 4, channels: 3 }
  await writeFile(path, 'not packed')
  await t.rejects(readImageArchive(path, ['a'], size), { code: 'TRAIN_BAD_DATASET', message: `${path} can not be read: incorrect header check` })
  await writeArchive(path, { 'a/1.png': (await plainPng(4, 4, [1, 2, 3])).subarray(0, 40) })
  await t.rejects(readImageArchive(path, ['a'], size), { code: 'TRAIN_BAD_DATASET', message: /set\.tar\.gz, a\/1\.png: The image can not be decoded/ })
  await writeArchive(path, { 'a/1.png': await plainPng(4, 4, [1, 2, 3]) })
  await t.rejects(readImageArchive(path, ['a', 'b'], size), { code: 'TRAIN_BAD_DATASET', message: `${path} has no images in a folder "b"` })
})
