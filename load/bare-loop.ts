// The limit: a session in a bare loop, or decoding alone, in a process of its own. Takes one job from its parent, answers and ends.
import { createImageDecoder } from '../src/image/index.ts'
import type { ImageContract } from '../src/registry/manifest.ts'
import { loadLibrary, loadSavedModel, type DType, type TensorValue } from '../src/tensorflow/index.ts'

export interface RunJob {
  kind: 'run'
  /** Of a version. */
  directory: string
  signature: string
  /** One row of numbers for each input: shape [1, …]. */
  row: Record<string, TensorValue>
  /** Tried with each number of `inFlight`; the fastest pair is measured. */
  batchSizes: number[]
}

export interface DecodeJob {
  kind: 'decode'
  file: Uint8Array
  contract: ImageContract
}

export interface BareLoopJob {
  job: RunJob | DecodeJob
  inFlight: number[]
  repeats: number
  durationMs: number
  sweepMs: number
}

export interface BareLoopResult {
  /** Rows in each run; 1 for decoding. */
  batchSize: number
  inFlight: number
  /** One for each repeat. */
  rowsPerSecond: number[]
}

/** One call: a run of a batch, or one image decoded. */
type Work = () => Promise<unknown>
interface Candidate { batchSize: number, inFlight: number, work: Work }

process.once('message', (message: BareLoopJob) => {
  answer(message).then(result => process.send!(result, () => process.exit(0)), (error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})

process.once('disconnect', () => process.exit(1))

async function answer ({ job, inFlight, repeats, durationMs, sweepMs }: BareLoopJob): Promise<BareLoopResult> {
  const works = job.kind === 'run' ? await runWorks(job) : new Map([[1, decodeWork(job)]])
  const candidates = [...works].flatMap(([batchSize, work]) => inFlight.map(inFlight => ({ batchSize, inFlight, work })))
  const best = await fastest(candidates, sweepMs)
  const rowsPerSecond: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) rowsPerSecond.push(await rate(best, durationMs))
  return { batchSize: best.batchSize, inFlight: best.inFlight, rowsPerSecond }
}

async function runWorks ({ directory, signature, row, batchSizes }: RunJob): Promise<Map<number, Work>> {
  loadLibrary()
  const model = await loadSavedModel(directory)
  return new Map(batchSizes.map(size => {
    const { inputs: infos } = model.signatures[signature]!
    const inputs = Object.fromEntries(Object.entries(row).map(([name, value]) => [name, repeatRow(asWanted(value, infos[name]!.dtype), size)]))
    return [size, async () => await model.run(signature, inputs)]
  }))
}

/** As the server decodes: several in a run where more wait than there are slots. */
function decodeWork ({ file, contract }: DecodeJob): Work {
  const decoder = createImageDecoder({ concurrency: 0, maxPixels: 50_000_000, timeoutMs: 10_000 })
  return async () => await decoder.decode(file, contract)
}

/** Token numbers come as int32; some models want int64. */
function asWanted (value: TensorValue, dtype: DType): TensorValue {
  return value.dtype === 'int32' && dtype === 'int64' ? { ...value, dtype, data: BigInt64Array.from(value.data as Int32Array, BigInt) } : value
}

/** @param value numbers of shape [1, …] */
function repeatRow ({ dtype, shape, data }: TensorValue, times: number): TensorValue {
  const row = data as Uint8Array // of any typed array: they all have what is used here
  const { constructor: TypedArray } = row as unknown as { constructor: new (length: number) => Uint8Array }
  const rows = new TypedArray(row.length * times)
  for (let index = 0; index < times; index++) rows.set(row, index * row.length)
  return { dtype, shape: [times, ...shape.slice(1)], data: rows }
}

async function fastest (candidates: Candidate[], sweepMs: number): Promise<Candidate> {
  let best: { candidate: Candidate, rate: number } | undefined
  for (const candidate of candidates) {
    await Promise.all([candidate.work(), candidate.work()]) // the first runs of a shape are slow
    const found = await rate(candidate, sweepMs)
    if (best === undefined || found > best.rate) best = { candidate, rate: found }
  }
  return best!.candidate
}

/** Rows a second, `inFlight` calls always under way. */
async function rate ({ batchSize, inFlight, work }: Candidate, durationMs: number): Promise<number> {
  const startedAt = performance.now()
  let calls = 0
  const loop = async (): Promise<void> => {
    while (performance.now() - startedAt < durationMs) {
      await work()
      calls++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return calls * batchSize / (performance.now() - startedAt) * 1000
}
