import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { eventFileHeader, scalarRecord } from '../../tensorflow/index.ts'
import type { Logs } from '../history.ts'
import type { TrainingCallback, TrainingControl } from './callback.ts'

const VALIDATION = 'val_'

/** In the names of files: two runs may begin within one second. */
let runs = 0

/**
 * Writes event files for TensorBoard as Keras lays them out: `train/` and `validation/` under the directory, each figure as `epoch_<name>`
 * by the number of its epoch, and the learning rate. A resumed run adds files of its own, which TensorBoard joins.
 *
 * @param now milliseconds since 1970
 */
export function tensorBoard (directory: string, now: () => number = Date.now): TrainingCallback {
  let control: TrainingControl
  let files: Record<'train' | 'validation', EventFile>
  return {
    name: 'tensorBoard',
    onTrainBegin: given => {
      control = given
      const name = `events.out.tfevents.${Math.floor(now() / 1000)}.${hostname()}.${process.pid}.${runs++}.v2`
      files = { train: new EventFile(join(directory, 'train'), name), validation: new EventFile(join(directory, 'validation'), name) }
    },
    onEpochEnd: async (epoch, logs) => {
      const { train, validation } = scalarsOf(logs)
      await files.train.append(now(), epoch, { ...train, epoch_learning_rate: control.learningRate })
      if (Object.keys(validation).length > 0) await files.validation.append(now(), epoch, validation)
    }
  }
}

function scalarsOf (logs: Logs): { train: Logs, validation: Logs } {
  const names = Object.keys(logs)
  const tagged = (chosen: string[], prefix: string): Logs => Object.fromEntries(chosen.map(name => [`epoch_${name.slice(prefix.length)}`, logs[name]!]))
  return {
    train: tagged(names.filter(name => !name.startsWith(VALIDATION)), ''),
    validation: tagged(names.filter(name => name.startsWith(VALIDATION)), VALIDATION)
  }
}

/** Made with its first record. */
class EventFile {
  readonly #directory: string
  readonly #path: string
  #isBegun = false

  constructor (directory: string, name: string) {
    this.#directory = directory
    this.#path = join(directory, name)
  }

  async append (timeMs: number, step: number, scalars: Logs): Promise<void> {
    if (!this.#isBegun) {
      await mkdir(this.#directory, { recursive: true })
      await writeFile(this.#path, eventFileHeader(timeMs))
      this.#isBegun = true
    }
    await appendFile(this.#path, scalarRecord({ timeMs, step, scalars }))
  }
}
