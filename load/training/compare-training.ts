import { execFile, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pythonPath } from '../../scripts/setup/python-tensorflow.mjs'
import { serverEnvironment } from '../../scripts/start/server-process.mjs'
import { formatMib, formatNumber, formatSpread } from '../format.ts'
import { programPath, ROOT } from '../places.ts'
import type { Check, LoadContext, Outcome } from '../scenario.ts'
import { median, spreadOf, type Spread } from '../statistics.ts'
import { CASES, type CaseName, type TrainingCase } from './cases.ts'
import type { TrainingJob, TrainingResult } from './training-process.ts'

/** How many times as fast as others an epoch has to be. */
export interface TrainingGoal {
  readonly keras: number
  readonly tfjsNode: number
}

interface Peer {
  readonly name: 'tensorport' | 'Keras' | 'tfjs-node' | 'tensorport, bfloat16' | 'Keras, mixed_bfloat16'
  readonly rows: number
  run (rows: number, epochs: number): Promise<TrainingResult>
}

interface Measured {
  readonly peer: Peer
  /** Rows a second: the median epoch of each repeat. */
  readonly rowsPerSecond: Spread
  readonly peakBytes: number
}

const EPOCHS = 3
const ADDON = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node-gpu', 'lib', 'napi-v8', 'tfjs_binding.node')

/** The same model, batch size, optimizer and data by tensorport, Keras and tfjs-node, one after another and again, each in a new process. */
export async function compareTraining (context: LoadContext, name: CaseName, goal: TrainingGoal): Promise<Outcome> {
  const trained: TrainingCase = CASES[name]
  const { peers, notes } = findPeers(name, trained)
  const runs = new Map<Peer, TrainingResult[]>(peers.map(peer => [peer, []]))
  for (let repeat = 0; repeat < context.repeats; repeat++) {
    for (const peer of peers) {
      context.log(`${peer.name}, ${repeat + 1} of ${context.repeats}`)
      runs.get(peer)!.push(await peer.run(context.isQuick ? 2 * trained.batchSize : peer.rows, context.isQuick ? 1 : EPOCHS))
    }
  }
  const measured = [...runs].map(([peer, results]) => summary(peer, context.isQuick ? 2 * trained.batchSize : peer.rows, results))
  const [ours] = measured as [Measured, ...Measured[]]
  return {
    tables: [{
      columns: ['', 'rows/s', 'ms a step', 'tensorport is', 'peak MiB'],
      rows: measured.map(({ peer, rowsPerSecond, peakBytes }) => [peer.name, formatSpread(rowsPerSecond), formatNumber(1000 * trained.batchSize / rowsPerSecond.median),
        peer === ours.peer ? '' : `${formatNumber(ours.rowsPerSecond.median / rowsPerSecond.median)} ×`, formatMib(peakBytes)])
    }],
    checks: measured.flatMap(other => checksAgainst(ours, other, goal)),
    notes: [
      `${context.repeats} repeats of ${EPOCHS} epochs of ${trained.rows} rows, in batches of ${trained.batchSize}; an epoch before them is not counted.`,
      'Keras is as it is installed. tensorport asks TensorFlow for oneDNN\'s kernels, which TensorFlow takes of its own accord only on processors with AVX-512; tfjs-node here has them too.',
      ...notes
    ]
  }
}

function checksAgainst (ours: Measured, { peer, rowsPerSecond, peakBytes }: Measured, goal: TrainingGoal): Check[] {
  if (peer.name !== 'Keras' && peer.name !== 'tfjs-node') return []
  const [times, least] = [ours.rowsPerSecond.median / rowsPerSecond.median, peer.name === 'Keras' ? goal.keras : goal.tfjsNode]
  const speed = { claim: `at least ${least} × as fast as ${peer.name}`, found: `${formatNumber(times)} ×`, isMet: times >= least }
  const memory = { claim: 'peak memory not above Keras\'s', found: `${formatMib(ours.peakBytes)} against ${formatMib(peakBytes)} MiB`, isMet: ours.peakBytes <= peakBytes }
  return peer.name === 'Keras' ? [speed, memory] : [speed]
}

function summary (peer: Peer, rows: number, results: readonly TrainingResult[]): Measured {
  return {
    peer,
    rowsPerSecond: spreadOf(results.map(({ epochSeconds }) => rows / median(epochSeconds))),
    peakBytes: median(results.map(({ peakBytes }) => peakBytes))
  }
}

function findPeers (name: CaseName, { rows, tfjsRows = rows, batchSize }: TrainingCase): { peers: Peer[], notes: string[] } {
  const python = pythonPath(process.env)
  const own = (precision: TrainingJob['precision']): Peer['run'] => async (rows, epochs) => await inProcess({ by: 'tensorport', name, rows, epochs, precision })
  const peers: Peer[] = [{ name: 'tensorport', rows, run: own('float32') }, { name: 'tensorport, bfloat16', rows, run: own('bfloat16') }]
  const notes: string[] = []
  const keras = (policy: string): Peer['run'] => async (rows, epochs) => await byKeras(python, [name, rows, batchSize, epochs, policy])
  if (existsSync(python)) peers.push({ name: 'Keras', rows, run: keras('float32') }, { name: 'Keras, mixed_bfloat16', rows, run: keras('mixed_bfloat16') })
  else notes.push('Keras was left out: there is no Python with it (`npm run setup -- --for ci` makes one).')
  if (existsSync(ADDON)) peers.push({ name: 'tfjs-node', rows: tfjsRows, run: async (rows, epochs) => await inProcess({ by: 'tfjs-node', name, rows, epochs, precision: 'float32' }) })
  else notes.push('tfjs-node was left out: its addon is not built.')
  if (tfjsRows !== rows) notes.push(`tfjs-node had ${tfjsRows} rows.`)
  return { peers, notes }
}

async function byKeras (python: string, options: readonly (string | number)[]): Promise<TrainingResult> {
  const { stdout } = await promisify(execFile)(python, [join(ROOT, 'load', 'training', 'keras_fit.py'), ...options.map(String)])
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as TrainingResult
}

async function inProcess (job: TrainingJob): Promise<TrainingResult> {
  const child = fork(programPath(join('training', 'training-process')), { execArgv: [], env: serverEnvironment(process.env) })
  return await new Promise((resolve, reject) => {
    child.once('message', message => { resolve(message as TrainingResult) })
    child.once('error', reject)
    child.once('exit', (code, signal) => { reject(new Error(`Training by ${job.by} ended (${code ?? signal}) without an answer`)) })
    child.send(job)
  })
}
