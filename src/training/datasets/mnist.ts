import { BadOptionError } from '../../errors.ts'
import type { ImageContract } from '../../registry/manifest.ts'
import { readIdxImages, type LabelledImages } from './idx.ts'

/** A set of grey 28×28 images in ten classes, as four IDX files. */
export interface MnistSet {
  readonly name: string
  /** Class names by number. */
  readonly labels: readonly string[]
  /** Where a package puts the files. */
  readonly directory?: string
  readonly origin: string
}

export const MNIST_SIDE = 28

export const MNIST: MnistSet = {
  name: 'MNIST',
  labels: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  origin: 'MNIST by Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0'
}

export const FASHION_MNIST: MnistSet = {
  name: 'Fashion-MNIST',
  labels: ['T-shirt/top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  directory: '/usr/share/datasets/fashion-mnist',
  origin: 'Fashion-MNIST by Zalando Research, MIT licence'
}

/** How a served photo becomes such an image. */
export const MNIST_CONTRACT: ImageContract = {
  width: MNIST_SIDE, height: MNIST_SIDE, channels: 1, fit: 'contain', kernel: 'linear', background: [0, 0, 0], scaling: { where: 'graph' }
}

/** What `--data` has to be for a set. */
export function mnistData ({ name, directory }: MnistSet): string {
  return `folder of ${name}'s four IDX files${directory === undefined ? '' : `; default ${directory}, Debian's dataset-fashion-mnist`}`
}

/**
 * @param directory undefined: where the set's package puts it
 * @throws BadOptionError if there is no such package
 * @throws DatasetError as `readIdxImages`
 */
export async function loadMnist (set: MnistSet, directory: string | undefined): Promise<{ train: LabelledImages, test: LabelledImages }> {
  const folder = directory ?? set.directory
  if (folder === undefined) throw new BadOptionError(`Say where ${set.name}'s four IDX files are: --data DIR`)
  return { train: await readIdxImages(folder, 'train', set.labels.length), test: await readIdxImages(folder, 't10k', set.labels.length) }
}
