import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BadStudyError } from '../../errors.ts'
import { syncFiles } from '../version-files.ts'
import type { SearchName } from './search.ts'
import type { SearchSpace } from './search-space.ts'
import type { Objective, TrialResult } from './trial.ts'

/** What a search is about. Trials under other plans can't be compared, so a folder holds one plan. */
export interface StudyPlan {
  readonly recipe: string
  readonly data: string | undefined
  readonly search: SearchName
  readonly objective: Objective
  readonly space: SearchSpace
  readonly epochs: number
  readonly executions: number
  readonly seed: number
}

/** A folder that keeps a search: its plan, and a file for each trial that has ended. A search that was stopped goes on from there. */
export class Study {
  readonly directory: string
  readonly results: TrialResult[]

  private constructor (directory: string, results: TrialResult[]) {
    this.directory = directory
    this.results = results
  }

  /** Makes the folder, or opens it to go on. @throws BadStudyError if another plan's trials are in it, or a file can't be read */
  static async open (directory: string, plan: StudyPlan): Promise<Study> {
    await mkdir(join(directory, 'trials'), { recursive: true })
    const path = join(directory, 'study.json')
    const given = JSON.parse(JSON.stringify(plan)) as unknown
    const found = await readJson(path)
    if (found === undefined) await writeJson(directory, 'study.json', given)
    else if (!isDeepStrictEqual(found, given)) throw new BadStudyError(directory, `its trials are of another search (${differences(found, given).join(', ')}); name another folder with --dir, or delete this one`)
    const names = (await readdir(join(directory, 'trials'))).filter(name => /^\d+\.json$/.test(name))
    const results = await Promise.all(names.map(async name => await readJson(join(directory, 'trials', name)) as TrialResult))
    return new Study(directory, results.sort((a, b) => a.number - b.number))
  }

  /** Keeps what a trial gave, whole or not at all. */
  async add (result: TrialResult): Promise<void> {
    this.results.push(result)
    await writeJson(join(this.directory, 'trials'), `${result.number}.json`, result)
  }
}

/** @returns undefined if there is no such file */
async function readJson (path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new BadStudyError(path, `can not be read: ${(error as Error).message}`)
  }
}

async function writeJson (directory: string, name: string, value: unknown): Promise<void> {
  const aside = join(directory, `.${name}.${process.pid}`)
  const file = await open(aside, 'w')
  try {
    await file.writeFile(`${JSON.stringify(value, null, 1)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, join(directory, name))
  await syncFiles(directory, { deep: false })
}

function differences (found: unknown, given: unknown): string[] {
  const [before, now] = [found as Record<string, unknown>, given as Record<string, unknown>]
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names].filter(name => !isDeepStrictEqual(before[name], now[name]))
}
