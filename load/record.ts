import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import { ROOT } from './places.ts'
import type { Outcome } from './scenario.ts'

/** How a scenario ended: measured to its end with every check met, or not, or left out. */
export type Verdict = 'passed' | 'failed' | 'skipped'

/** A scenario's result as it lies in load/results/, from which the page is made. */
export interface Record {
  scenario: string
  summary: string
  verdict: Verdict
  /** Why it failed or was skipped, where a check does not say so. */
  reason?: string
  outcome: Outcome
  machine: Machine
  /** ISO 8601. */
  startedAt: string
  seconds: number
}

const DIRECTORY = join(ROOT, 'load', 'results')

export async function writeRecord (record: Record): Promise<void> {
  await mkdir(DIRECTORY, { recursive: true })
  await writeFile(join(DIRECTORY, `${record.scenario}.json`), `${JSON.stringify(record, null, 2)}\n`)
}

/** By scenario. */
export async function readRecords (): Promise<Map<string, Record>> {
  const names = (await readdir(DIRECTORY)).filter(name => name.endsWith('.json'))
  const records = await Promise.all(names.map(async name => JSON.parse(await readFile(join(DIRECTORY, name), 'utf8')) as Record))
  return new Map(records.map(record => [record.scenario, record]))
}
