import { compareServers } from '../compare.ts'
import { formatSpread } from '../format.ts'
import { measureLimit } from '../limit.ts'
import { copyModel } from '../models.ts'
import { naive } from '../peers/naive.ts'
import { jsonRequest } from '../requests.ts'
import type { Scenario } from '../scenario.ts'
import { tokenRow } from '../token-row.ts'

const TEXT = 'The plot is thin and the second half drags, but the two leads are wonderful and the last scene alone is worth the ticket.'

/** A sentence, as people send them. */
export const textSentiment: Scenario = {
  name: 'text-sentiment',
  summary: 'A sentence of 24 words to the sentiment model, one a request.',
  async run (context) {
    const model = await copyModel('sentiment', context.scratch)
    const { text: contract, signature = 'serving_default' } = model.manifest
    if (contract === undefined) throw new Error('Expected the model sentiment to take texts')
    const row = await tokenRow(TEXT, contract, model.versionDirectory)
    context.log('bare loop')
    const limit = await measureLimit({ kind: 'run', directory: model.versionDirectory, signature, row, batchSizes: [1, 8, 32, 128] }, context)
    return await compareServers(context, {
      model,
      request: jsonRequest('/predict/text?model=sentiment', { text: TEXT }),
      connections: [1, 8, 64],
      ceiling: {
        perSecond: limit.rowsPerSecond.median,
        parts: [{ what: `bare loop, batches of ${limit.batchSize}, ${limit.inFlight} under way`, perSecond: formatSpread(limit.rowsPerSecond) }]
      },
      peers: [naive],
      goals: { peers: [] }
    })
  }
}
