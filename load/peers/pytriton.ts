import { join } from 'node:path'
import type { DType, TensorValue } from '../../src/tensorflow/index.ts'
import type { LoadRequest } from '../closed-loop.ts'
import { jsonRequest } from '../requests.ts'
import { pythonServer, type Peer } from './peer.ts'

const MAX_BATCH_SIZE = 32
const MAX_QUEUE_DELAY_US = 2000
const PATH = '/v2/models/model/infer'
const DATATYPES: Partial<Record<DType, string>> = { float32: 'FP32', int32: 'INT32', uint8: 'UINT8' }

/**
 * Triton with a Python function behind its dynamic batcher. It takes no photos and no texts: it gets a row as the model wants it.
 *
 * @param row shape [1, …]; bytes go as bytes, all else as JSON
 */
export function pyTriton (row: TensorValue): Peer {
  return {
    name: 'PyTriton',
    async prepare (task) {
      const options = await pythonServer(task, 'pytriton_server.py', 'pytriton', {
        MAX_BATCH_SIZE: String(MAX_BATCH_SIZE), MAX_QUEUE_DELAY_US: String(MAX_QUEUE_DELAY_US), WORKSPACE: join(task.context.scratch, 'pytriton')
      })
      return {
        options: { ...options, readyPath: '/v2/models/model/ready' },
        request: row.dtype === 'uint8' ? binaryRequest(row) : inJson(row),
        note: `PyTriton: batches of up to ${MAX_BATCH_SIZE}, waiting ${MAX_QUEUE_DELAY_US / 1000} ms; it is given ready tensors, ${row.dtype === 'uint8' ? 'as bytes' : 'in JSON'}.`
      }
    }
  }
}

function inJson (row: TensorValue): LoadRequest {
  return jsonRequest(PATH, { inputs: [{ ...describe(row), data: Array.from(row.data as Float32Array) }] })
}

/** JSON, then the numbers as they lie in memory. @see the binary tensor data extension of the Open Inference Protocol */
function binaryRequest (row: TensorValue): LoadRequest {
  const data = row.data as Uint8Array
  const head = Buffer.from(JSON.stringify({
    inputs: [{ ...describe(row), parameters: { binary_data_size: data.byteLength } }],
    outputs: [{ name: 'scores', parameters: { binary_data: false } }]
  }))
  return {
    path: PATH,
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(head.length) },
    body: Buffer.concat([head, data])
  }
}

function describe ({ dtype, shape }: TensorValue): { name: string, shape: readonly number[], datatype: string | undefined } {
  return { name: 'rows', shape, datatype: DATATYPES[dtype] }
}
