import { compareServers } from '../compare.ts'
import { formatSpread } from '../format.ts'
import { measureLimit } from '../limit.ts'
import { makeBilstm, TEXT_LENGTH } from '../network-models.ts'
import { litServe } from '../peers/litserve.ts'
import { naive } from '../peers/naive.ts'
import { fastApi } from '../peers/python.ts'
import { pyTriton } from '../peers/pytriton.ts'
import { jsonRequest } from '../requests.ts'
import type { Scenario } from '../scenario.ts'
import { tokenRow } from '../token-row.ts'
import { makeText } from '../words.ts'

/** A model whose steps come one after another: only a batch keeps the cores busy. */
export const textBilstm: Scenario = {
  name: 'text-bilstm',
  summary: `A text of ${TEXT_LENGTH} words to an LSTM in both directions (10 000 words, 100 numbers each, 64 units), beside other servers with the same SavedModel; PyTriton is given the words' numbers.`,
  async run (context) {
    const model = await makeBilstm(context.scratch)
    const text = makeText(TEXT_LENGTH)
    const row = await tokenRow(text, model.manifest.text!, model.versionDirectory)
    const triton = pyTriton(row['tokens']!)
    context.log('bare loop')
    const limit = await measureLimit({ kind: 'run', directory: model.versionDirectory, signature: 'serving_default', row, batchSizes: [1, 8, 32, 64] }, context)
    return await compareServers({ ...context, durationMs: context.durationMs / 2 }, {
      model,
      request: jsonRequest('/predict/text?model=bilstm', { text }),
      connections: [1, 32],
      ceiling: {
        perSecond: limit.rowsPerSecond.median,
        parts: [{ what: `bare loop, batches of ${limit.batchSize}, ${limit.inFlight} under way`, perSecond: formatSpread(limit.rowsPerSecond) }]
      },
      peers: [litServe, triton, fastApi, naive],
      goals: { peers: [{ name: litServe.name, times: 2 }, { name: triton.name, times: 1.6 }], tail: 1.5 }
    })
  }
}
