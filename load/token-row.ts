import type { TextContract } from '../src/registry/manifest.ts'
import type { TensorValue } from '../src/tensorflow/index.ts'
import { createTokenizer } from '../src/text/index.ts'

/** A text as the inputs of a text model's signature, of int32 whatever the signature takes. @param directory of the version */
export async function tokenRow (text: string, contract: TextContract, directory: string): Promise<Record<string, TensorValue>> {
  const encoded = await (await createTokenizer(contract, directory)).encode([text])
  const { ids, mask, types } = contract.inputs
  const given: [string | undefined, Int32Array][] = [[ids, encoded.ids], [mask, encoded.mask], [types, encoded.types]]
  return Object.fromEntries(given.flatMap(([name, data]) => name === undefined ? [] : [[name, { dtype: 'int32', shape: [1, encoded.length], data }]]))
}
