import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatasetError } from '../../errors.ts'
import { readImageArchive } from './image-archive.ts'
import type { LabelledImages } from './idx.ts'
import { allocateImages } from './labelled-images.ts'

export const CIFAR10_LABELS = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const
export const CIFAR10_ORIGIN = 'CIFAR-10 by A. Krizhevsky, V. Nair and G. Hinton'

export const CIFAR10_SIDE = 32
export const CIFAR10_DATA = 'folder of CIFAR-10: its binary version, or tar archives "…train….tar.gz" and "…test….tar.gz" of class folders'

const SIDE = CIFAR10_SIDE
const PLANE = SIDE * SIDE
/** A label, then the red, the green and the blue plane. */
const RECORD = 1 + 3 * PLANE

const BINARY = { train: /^data_batch_\d+\.bin$/, test: /^test_batch\.bin$/ }
const ARCHIVE = { train: /train.*\.(tar\.gz|tgz|tar)$/, test: /test.*\.(tar\.gz|tgz|tar)$/ }

/**
 * CIFAR-10 as uint8 [rows, 32, 32, 3], in one of its forms: the binary version's `data_batch_1.bin` … and `test_batch.bin`, or two tar archives, one with
 * `train` and one with `test` in its name, of class folders of images.
 *
 * @throws DatasetError if the folder has neither, or a file of it is broken
 */
export async function loadCifar10 (directory: string): Promise<{ train: LabelledImages, test: LabelledImages }> {
  const names = await readdir(directory).catch((error: Error) => { throw new DatasetError(`${directory} can not be read: ${error.message}`) })
  const [train, test] = await Promise.all((['train', 'test'] as const).map(async part => await loadPart(directory, names.sort(), part)))
  return { train: train!, test: test! }
}

async function loadPart (directory: string, names: readonly string[], part: 'train' | 'test'): Promise<LabelledImages> {
  const binary = names.filter(name => BINARY[part].test(name))
  if (binary.length > 0) return await readBinary(binary.map(name => join(directory, name)))
  const archive = names.find(name => ARCHIVE[part].test(name))
  if (archive !== undefined) return await readImageArchive(join(directory, archive), CIFAR10_LABELS, { height: SIDE, width: SIDE, channels: 3 })
  throw new DatasetError(`${directory} has no CIFAR-10 images for "${part}": neither ${part === 'train' ? 'data_batch_1.bin …' : 'test_batch.bin'} nor a tar archive with "${part}" in its name`)
}

async function readBinary (paths: readonly string[]): Promise<LabelledImages> {
  const files = await Promise.all(paths.map(async path => ({ path, bytes: await readFile(path) })))
  const wrong = files.find(({ bytes }) => bytes.length === 0 || bytes.length % RECORD !== 0)
  if (wrong !== undefined) throw new DatasetError(`${wrong.path} has ${wrong.bytes.length} bytes, which is not a number of records of ${RECORD}`)
  const { images, labels, pixels, classes } = allocateImages(files.reduce((sum, { bytes }) => sum + bytes.length / RECORD, 0), { height: SIDE, width: SIDE, channels: 3 })
  let row = 0
  for (const { path, bytes } of files) {
    for (let start = 0; start < bytes.length; start += RECORD, row++) {
      const label = bytes[start]!
      if (label >= CIFAR10_LABELS.length) throw new DatasetError(`${path} has the label ${label} in record ${start / RECORD}, there are ${CIFAR10_LABELS.length} classes`)
      classes[row] = label
      interleave(bytes.subarray(start + 1, start + RECORD), pixels.subarray(row * 3 * PLANE, (row + 1) * 3 * PLANE))
    }
  }
  return { images, labels }
}

/** Planes → pixels. */
function interleave (planes: Uint8Array, pixels: Uint8Array): void {
  for (let at = 0; at < PLANE; at++) {
    for (let channel = 0; channel < 3; channel++) pixels[at * 3 + channel] = planes[channel * PLANE + at]!
  }
}
