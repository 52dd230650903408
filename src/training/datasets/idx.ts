import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { DatasetError } from '../../errors.ts'
import { elementCount, type TensorValue } from '../../tensorflow/index.ts'

const unzip = promisify(gunzip)

const UNSIGNED_BYTE = 0x08
/** Larger than any set of small images; a file that unpacks to more is not one. */
const MAX_BYTES = 2 ** 31

/** Grey images and their classes. */
export interface LabelledImages {
  /** uint8 [rows, height, width, 1]. */
  readonly images: TensorValue
  /** uint8 [rows]. */
  readonly labels: TensorValue
}

/**
 * Reads one half of a set in MNIST's layout: `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, packed with gzip or not.
 *
 * @param part `train` or `t10k`, as the files are called
 * @param classes how many there are; every label has to be below
 * @throws DatasetError if a file is missing, broken or does not fit the other
 */
export async function readIdxImages (directory: string, part: 'train' | 't10k', classes: number): Promise<LabelledImages> {
  const images = await readIdx(directory, `${part}-images-idx3-ubyte`, 3)
  const labels = await readIdx(directory, `${part}-labels-idx1-ubyte`, 1)
  const [rows, height, width] = images.shape as [number, number, number]
  if (labels.shape[0] !== rows) throw new DatasetError(`${directory} has ${rows} images but ${labels.shape[0]} labels in its "${part}" files`)
  const wrong = (labels.data as Uint8Array).findIndex(label => label >= classes)
  if (wrong >= 0) throw new DatasetError(`${directory} has label ${Number(labels.data[wrong])} for image ${wrong} of "${part}", there are ${classes} classes`)
  return { images: { ...images, shape: [rows, height, width, 1] }, labels }
}

async function readIdx (directory: string, name: string, rank: number): Promise<TensorValue> {
  const { path, bytes } = await readPacked(directory, name)
  return parseIdx(bytes, path, rank)
}

/** With `.gz` first: that is how the sets are given away. */
async function readPacked (directory: string, name: string): Promise<{ path: string, bytes: Uint8Array }> {
  for (const path of [join(directory, `${name}.gz`), join(directory, name)]) {
    const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw new DatasetError(`${path} can not be read: ${error.message}`)
    })
    if (file !== undefined) return { path, bytes: path.endsWith('.gz') ? await unpacked(file, path) : file }
  }
  throw new DatasetError(`There is no ${name}.gz or ${name} in ${directory}`)
}

async function unpacked (file: Buffer, path: string): Promise<Uint8Array> {
  try {
    return await unzip(file, { maxOutputLength: MAX_BYTES })
  } catch (error) {
    throw new DatasetError(`${path} can not be unpacked: ${(error as Error).message}`)
  }
}

/**
 * Reads an IDX file of unsigned bytes.
 *
 * @param path for errors
 * @returns uint8, of the shape that the file says; its data is a view into `bytes`
 * @throws DatasetError if the header is not one, or there are more or fewer bytes than it says
 * @see http://yann.lecun.com/exdb/mnist/ "THE IDX FILE FORMAT"
 */
export function parseIdx (bytes: Uint8Array, path: string, rank: number): TensorValue {
  const header = 4 + 4 * rank
  if (bytes.length < header) throw new DatasetError(`${path} is too short for an IDX file: ${bytes.length} bytes`)
  if (bytes[0] !== 0 || bytes[1] !== 0) throw new DatasetError(`${path} is not an IDX file: it has to start with two zero bytes`)
  if (bytes[2] !== UNSIGNED_BYTE || bytes[3] !== rank) throw new DatasetError(`${path} holds type ${bytes[2]} in ${bytes[3]} dimensions, expected unsigned bytes (8) in ${rank}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis))
  const size = elementCount(shape)
  if (size === 0) throw new DatasetError(`${path} is empty: its shape is [${shape.join(', ')}]`)
  if (bytes.length !== header + size) throw new DatasetError(`${path} has ${bytes.length - header} bytes of data, its shape [${shape.join(', ')}] needs ${size}`)
  return { dtype: 'uint8', shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, size) }
}
