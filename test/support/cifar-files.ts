import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seededRandom } from '../../src/training/random.ts'

/** CIFAR-10's binary version with a few images: the higher its class, the brighter an image is. */
export async function writeTinyCifar (directory: string, rows: number): Promise<void> {
  const random = seededRandom(rows)
  for (const name of ['data_batch_1.bin', 'test_batch.bin']) {
    const records = Array.from({ length: rows }, (_, row) => {
      const label = row % 10
      return Buffer.concat([Buffer.of(label), Buffer.from(Array.from({ length: 3072 }, () => label * 25 + random() * 20))])
    })
    await writeFile(join(directory, name), Buffer.concat(records))
  }
}
