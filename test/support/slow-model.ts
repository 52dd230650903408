import type { RunResult } from '../../src/batching/run-request.ts'
import type { DescribedModels } from '../../src/http/models.ts'
import type { RunOptions } from '../../src/registry/model-version.ts'
import { fakeModels, fakeSignature } from './server.ts'

const signatures = fakeSignature({ x: ['float32', [-1]] }, { y: ['float32', [-1]] })
export const BODY = '{"inputs":[1]}'
/** Asks the slow model, as it stands on a connection. */
export const PREDICT = `POST /v1/models/fake:predict HTTP/1.1\r\nhost: a\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`

/** A model whose runs last until the test ends them. */
export function slowModel (): { models: DescribedModels & { released: number }, finish: () => void, started: () => number, signals: (AbortSignal | undefined)[] } {
  const runs: (() => void)[] = []
  const signals: (AbortSignal | undefined)[] = []
  const models = fakeModels({
    signatures,
    run: async (_signature: string, _inputs: object, options?: RunOptions) => await new Promise<RunResult>(resolve => {
      signals.push(options?.signal)
      runs.push(() => { resolve({ outputs: { y: { dtype: 'float32', shape: [1], data: Float32Array.of(7) } }, queueMs: 0, inferMs: 0 }) })
    })
  })
  return { models, signals, started: () => runs.length, finish: () => { for (const end of runs) end() } }
}
