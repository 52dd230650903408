import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom } from '../../src/training/random.ts'

/** An IDX file of unsigned bytes. */
export function idxFile (shape: readonly number[], data: readonly number[] | Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt8(0x08, 2)
  header.writeUInt8(shape.length, 3)
  shape.forEach((side, axis) => header.writeUInt32BE(side, 4 + 4 * axis))
  return Buffer.concat([header, Buffer.from(data)])
}

/** Fashion-MNIST's four files with a few images: the brighter a column, the higher its class. */
export async function writeTinyFashion (directory: string, rows: number): Promise<void> {
  const random = seededRandom(rows)
  await mkdir(directory, { recursive: true })
  for (const part of ['train', 't10k']) {
    const labels = Uint8Array.from({ length: rows }, () => Math.floor(random() * 10))
    const images = new Uint8Array(rows * 784)
    labels.forEach((label, row) => {
      for (let pixel = 0; pixel < 784; pixel++) images[row * 784 + pixel] = Math.floor(pixel % 28 / 2.8) === label ? 255 : random() * 60
    })
    await writeFile(join(directory, `${part}-images-idx3-ubyte`), idxFile([rows, 28, 28], images))
    await writeFile(join(directory, `${part}-labels-idx1-ubyte`), idxFile([rows], labels))
  }
}
