import { existsSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BadOptionError } from '../errors.ts'

/** Where the training at hand is saved, and what it goes on with. */
export interface CheckpointPaths {
  readonly path: string
  readonly resume?: string
}

/** The files by which a run goes on after it was stopped or lost: one for each training of the recipe, `<runs>/<model>/training-<number>.safetensors`. */
export class RunCheckpoints {
  readonly #directory: string
  readonly #isResumed: boolean
  #trainings = 0

  /** @throws BadOptionError if the run is to be resumed, and there is none */
  constructor (runsDir: string, model: string, { isResumed }: { readonly isResumed: boolean }) {
    this.#directory = join(runsDir, model)
    this.#isResumed = isResumed
    if (isResumed && !existsSync(this.#path(1))) throw new BadOptionError(`There is no stopped run of "${model}" in ${runsDir}: start it without --resume`)
  }

  /** Of the recipe's next training; one that was not begun before the stop has nothing to go on with. */
  next (): CheckpointPaths {
    const path = this.#path(++this.#trainings)
    return { path, ...(this.#isResumed && existsSync(path) && { resume: path }) }
  }

  /** Once the version is exported. Other files of the folder stay. */
  async remove (): Promise<void> {
    for (let number = 1; number <= this.#trainings; number++) await rm(this.#path(number), { force: true })
    await rmdir(this.#directory).catch(() => {})
  }

  #path (number: number): string {
    return join(this.#directory, `training-${number}.safetensors`)
  }
}
