import { join } from 'node:path'
import { closedLoop, type LoadRequest } from '../closed-loop.ts'
import { formatMib, formatNumber } from '../format.ts'
import { memoryFlat } from '../memory-check.ts'
import { makeMlp, mlpRows, writeMlp, type ModelCopy } from '../models.ts'
import { replaceVersion } from '../replace-version.ts'
import { jsonRequest } from '../requests.ts'
import { sameReply } from '../same-reply.ts'
import type { LoadContext, Outcome, Scenario } from '../scenario.ts'
import { send } from '../send.ts'
import { withServer, type RunningServer } from '../server-process.ts'
import { tensorport } from '../tensorport.ts'

const CONNECTIONS = 16
const REPLACEMENTS = { full: 50, quick: 5 }
/** The first ones grow what is then used again. */
const WARM_UP = 5
const LONGEST_MS = 600_000

/** A new version comes and the old one goes while requests run. */
export const replaceVersionUnderLoad: Scenario = {
  name: 'replace-version',
  summary: `An MLP's version is replaced again and again, by two sets of weights in turn, while ${CONNECTIONS} clients ask without a pause.`,
  async run (context) {
    const model = await makeMlp(context.scratch)
    const options = tensorport(model.modelsDirectory, join(context.scratch, 'tensorport.log'), { MODELS_POLL_MS: '50' })
    return await withServer(options, async server => await measure(context, model, server))
  }
}

async function measure (context: LoadContext, { modelsDirectory }: ModelCopy, server: RunningServer): Promise<Outcome> {
  const { scratch } = context
  const sources = [join(scratch, 'source-1'), join(scratch, 'source-2')] as const
  for (const [index, source] of sources.entries()) await writeMlp(source, index + 1)
  const request = jsonRequest('/v1/models/mlp:predict', { instances: [Array.from(mlpRows(1).data as Float32Array)] })
  let version = 1
  const replace = async (): Promise<void> => {
    version++
    await replaceVersion({ url: server.url, modelsDirectory, scratch, model: 'mlp', version, source: sources[(version - 1) % 2]! })
  }
  const answers = [await answer(server, request)]
  await replace()
  answers.push(await answer(server, request))
  const seen = countSeen(answers)
  const underLoad = async (replacements: number): Promise<Awaited<ReturnType<typeof closedLoop>>> => {
    const replaced = times(replacements, replace)
    const run = await closedLoop(server.url, { ...request, verify: seen.verify }, { connections: CONNECTIONS, durationMs: LONGEST_MS, until: replaced })
    await replaced
    return run
  }
  context.log('first replacements')
  await underLoad(WARM_UP)
  const before = await server.settledBytes()
  const count = context.isQuick ? REPLACEMENTS.quick : REPLACEMENTS.full
  context.log(`${count} replacements`)
  const run = await underLoad(count)
  const after = await server.settledBytes()
  return {
    tables: [],
    checks: [
      { claim: `${count} replacements under load: no request fails, and each gets the answer of the old or the new version`, found: `${run.replies} requests, none failed`, isMet: true },
      { claim: 'both sets of weights answered', found: seen.counts.join(' and '), isMet: seen.counts.every(seen => seen > 0) },
      memoryFlat(`${count} replacements`, before, after)
    ],
    notes: [`${formatNumber(run.perSecond)} replies a second, p99 ${formatNumber(run.p99Ms)} ms, longest ${formatNumber(run.maxMs)} ms; ${formatMib(after)} MiB resident at the end.`]
  }
}

async function answer ({ url }: RunningServer, request: LoadRequest): Promise<string> {
  const { status, body } = await send(url, request)
  if (status !== 200) throw new Error(`Expected a prediction but the reply was ${status}: ${body}`)
  return body
}

/** Tells the replies that are one of the answers from all others, and counts each. */
function countSeen (answers: readonly string[]): { counts: number[], verify: (body: string) => boolean } {
  const counts = answers.map(() => 0)
  const isAnswer = answers.map(answer => sameReply(answer))
  return {
    counts,
    verify (body) {
      const found = isAnswer.findIndex(isSame => isSame(body))
      if (found !== -1) counts[found]!++
      return found !== -1
    }
  }
}

async function times (count: number, action: () => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index++) await action()
}
