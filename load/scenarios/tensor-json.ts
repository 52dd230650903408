import { jsonRequest } from '../requests.ts'
import { compareServers } from '../compare.ts'
import { formatSpread } from '../format.ts'
import { measureLimit } from '../limit.ts'
import { makeMlp, mlpRows } from '../models.ts'
import { naive } from '../peers/naive.ts'
import { fastApi } from '../peers/python.ts'
import { pyTriton } from '../peers/pytriton.ts'
import type { Scenario } from '../scenario.ts'

/** Small numbers in, small numbers out: what a request costs beside the run. */
export const tensorJson: Scenario = {
  name: 'tensor-json',
  summary: '784 floats as JSON (`{"instances": [[…]]}`) to an MLP of 784 → 256 → 256 → 10, one row a request, beside other servers with the same SavedModel.',
  async run (context) {
    const model = await makeMlp(context.scratch)
    const row = mlpRows(1)
    const triton = pyTriton(row)
    context.log('bare loop')
    const limit = await measureLimit({ kind: 'run', directory: model.versionDirectory, signature: 'serving_default', row: { pixels: row }, batchSizes: [1, 8, 32, 128] }, context)
    return await compareServers({ ...context, durationMs: context.durationMs / 2 }, {
      model,
      request: jsonRequest('/v1/models/mlp:predict', { instances: [Array.from(row.data as Float32Array)] }),
      connections: [1, 32, 64],
      ceiling: {
        perSecond: limit.rowsPerSecond.median,
        parts: [{ what: `bare loop, batches of ${limit.batchSize}, ${limit.inFlight} under way`, perSecond: formatSpread(limit.rowsPerSecond) }]
      },
      peers: [triton, fastApi, naive],
      goals: { peers: [{ name: triton.name, times: 3, connections: [64] }], tail: 1.5 }
    })
  }
}
