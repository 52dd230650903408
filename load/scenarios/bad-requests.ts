import { join } from 'node:path'
import type { Agent } from 'node:http'
import { seededRandom } from '../../src/training/random.ts'
import { BAD_REQUESTS, type BadRequest } from '../bad-requests.ts'
import { formatNumber } from '../format.ts'
import { memoryFlat } from '../memory-check.ts'
import { copyModel, makeMlp, mlpRows } from '../models.ts'
import { jsonRequest } from '../requests.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { keepAliveAgent, send } from '../send.ts'
import { sendRaw } from '../send-raw.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const REQUESTS = { full: 10_000, quick: 1000 }
/** The first ones grow what is then used again: heap, buffers, threads' arenas. */
const WARM_UP = { full: 3000, quick: 1000 }
const CONCURRENCY = 16

/** What is wrong costs the one who sent it a refusal, and the server nothing. */
export const badRequests: Scenario = {
  name: 'bad-requests',
  summary: `Requests of ${Object.keys(BAD_REQUESTS).length} wrong kinds: JSON, shapes, types, sizes, names, forms, pictures and HTTP itself; ${CONCURRENCY} at once.`,
  async run (context) {
    const { modelsDirectory } = await copyModel('imagenet', context.scratch)
    await makeMlp(context.scratch)
    return await withServer(tensorport(modelsDirectory, join(context.scratch, 'tensorport.log')), async server => await measure(context, server))
  }
}

async function measure (context: LoadContext, server: RunningServer): Promise<Outcome> {
  const counts = context.isQuick ? 'quick' : 'full'
  context.log(`${WARM_UP[counts]} first requests`)
  await sendMany(server.url, WARM_UP[counts], 1)
  const before = await server.settledBytes()
  context.log(`${REQUESTS[counts]} requests`)
  const { answers, seconds } = await sendMany(server.url, REQUESTS[counts], 2)
  const after = await server.settledBytes()
  const wrong = answers.filter(({ status }) => status < 400 || status > 499)
  const good = await send(server.url, jsonRequest('/v1/models/mlp:predict', { instances: [Array.from(mlpRows(1).data as Float32Array)] }))
  return {
    tables: [{ columns: ['status', 'replies'], rows: countByStatus(answers) }],
    checks: [
      { claim: `each of ${answers.length} bad requests is refused with a 4xx`, found: wrong.length === 0 ? 'all are' : describe(wrong), isMet: wrong.length === 0 },
      { claim: 'a good request is answered afterwards', found: String(good.status), isMet: good.status === 200 },
      memoryFlat(`${answers.length} bad requests`, before, after)
    ],
    notes: [`${formatNumber(answers.length / seconds)} refusals a second.`]
  }
}

/** Status 0: no reply at all. */
interface Answer { kind: string, status: number, reason?: string }

async function sendMany (url: string, count: number, seed: number): Promise<{ answers: Answer[], seconds: number }> {
  const random = seededRandom(seed)
  const kinds = Object.entries(BAD_REQUESTS)
  const agent = keepAliveAgent()
  const answers: Answer[] = []
  let next = 0
  const startedAt = performance.now()
  const loop = async (): Promise<void> => {
    while (next < count) {
      const [kind, make] = kinds[next++ % kinds.length]!
      answers.push(await sendOne(url, kind, make(random), agent))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, loop))
  agent.destroy()
  return { answers, seconds: (performance.now() - startedAt) / 1000 }
}

async function sendOne (url: string, kind: string, request: BadRequest, agent: Agent): Promise<Answer> {
  try {
    if ('raw' in request) return { kind, status: await sendRaw(url, request.raw) }
    const { status, body } = await send(url, request, { agent })
    return { kind, status, reason: body.slice(0, 200) }
  } catch (error) {
    return { kind, status: 0, reason: (error as Error).message }
  }
}

function countByStatus (answers: readonly Answer[]): string[][] {
  const counts = new Map<number, number>()
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].sort(([left], [right]) => left - right).map(([status, count]) => [status === 0 ? 'none' : String(status), String(count)])
}

/** One of each kind. */
function describe (wrong: readonly Answer[]): string {
  const kinds = new Map(wrong.map(answer => [answer.kind, answer]))
  return `${wrong.length} are not: ${[...kinds.values()].map(({ kind, status, reason = '' }) => `${kind} → ${status} ${reason}`).join('; ')}`
}
