// `npm run load [-- scenario … --quick --list]` and `npm run bench:train` (`--training`): measures, prints, writes load/results/ and docs/benchmarks.md. Exit code 1 if a scenario failed.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatTable } from './format.ts'
import { describeMachine, machineLine, type Machine } from './machine.ts'
import { makePage } from './page.ts'
import { ROOT } from './places.ts'
import { readRecords, writeRecord, type Record } from './record.ts'
import { SkipError, type LoadContext, type Outcome, type Scenario } from './scenario.ts'
import { LONG_SCENARIOS, SCENARIOS, TRAINING_SCENARIOS } from './scenarios/index.ts'

const PAGE = join(ROOT, 'docs', 'benchmarks.md')
const ALL = [...SCENARIOS, ...LONG_SCENARIOS, ...TRAINING_SCENARIOS]
const FULL = { isQuick: false, repeats: 5, durationMs: 4000 }
const QUICK = { isQuick: true, repeats: 1, durationMs: 700 }

const { values: { quick, list, training }, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, list: { type: 'boolean', default: false }, training: { type: 'boolean', default: false } },
  allowPositionals: true
})
if (list) {
  for (const { name, summary } of ALL) console.log(`${name.padEnd(16)} ${summary}`)
} else {
  const records = await measureAll(chosenScenarios(positionals), quick ? QUICK : FULL, await describeMachine())
  if (!quick) await writePage()
  if (records.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1
}

function chosenScenarios (names: readonly string[]): readonly Scenario[] {
  const unknown = names.find(name => !ALL.some(scenario => scenario.name === name))
  if (unknown !== undefined) {
    console.error(`There is no scenario "${unknown}"; there are: ${ALL.map(({ name }) => name).join(', ')}`)
    process.exit(1)
  }
  if (names.length === 0) return training ? TRAINING_SCENARIOS : SCENARIOS
  return ALL.filter(({ name }) => names.includes(name))
}

type Settings = Pick<LoadContext, 'isQuick' | 'repeats' | 'durationMs'>

async function measureAll (scenarios: readonly Scenario[], settings: Settings, machine: Machine): Promise<Record[]> {
  console.log(`${machineLine(machine)}\n`)
  const records: Record[] = []
  for (const scenario of scenarios) {
    const record = await measure(scenario, settings, machine)
    print(record)
    if (!settings.isQuick) await writeRecord(record)
    records.push(record)
  }
  return records
}

async function measure (scenario: Scenario, settings: Settings, machine: Machine): Promise<Record> {
  const startedAt = new Date()
  const scratch = await mkdtemp(join(tmpdir(), `tensorport-${scenario.name}-`))
  try {
    const log = (line: string): void => console.log(`${scenario.name}: ${line}`)
    const ended = await settle(scenario, { ...settings, scratch, log })
    const seconds = (Date.now() - startedAt.getTime()) / 1000
    return { scenario: scenario.name, summary: scenario.summary, ...ended, machine, startedAt: startedAt.toISOString(), seconds }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function settle (scenario: Scenario, context: LoadContext): Promise<Pick<Record, 'verdict' | 'reason' | 'outcome'>> {
  try {
    const outcome = await scenario.run(context)
    return { verdict: outcome.checks.every(({ isMet }) => isMet) ? 'passed' : 'failed', outcome }
  } catch (error) {
    const outcome: Outcome = { tables: [], checks: [], notes: [] }
    if (error instanceof SkipError) return { verdict: 'skipped', reason: error.message, outcome }
    console.error(error)
    return { verdict: 'failed', reason: (error as Error).message, outcome }
  }
}

function print ({ scenario, verdict, reason, outcome, seconds }: Record): void {
  console.log(`\n${scenario}: ${verdict} in ${Math.round(seconds)} s${reason === undefined ? '' : `: ${reason}`}`)
  for (const table of outcome.tables) console.log(formatTable(table))
  for (const { claim, found, isMet } of outcome.checks) console.log(`${isMet ? '✓' : '✗'} ${claim}: ${found}`)
  for (const note of outcome.notes) console.log(note)
  console.log()
}

async function writePage (): Promise<void> {
  const records = await readRecords()
  await writeFile(PAGE, makePage(ALL.map(({ name }) => name), records, await readFile(PAGE, 'utf8').catch(() => '')))
  console.log('docs/benchmarks.md written')
}
