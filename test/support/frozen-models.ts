import { fromBinary } from '@bufbuild/protobuf'
import type { Test } from 'tap'
import { freezeSavedModel, loadSavedModel, type FrozenModel, type LoadedSavedModel } from '../../src/tensorflow/index.ts'
import { FunctionDefSchema, GraphDefSchema, NodeDefSchema } from '../../src/tensorflow/proto/tensorflow_pb.js'
import { sameAnswers } from './same-answers.ts'

/** Loaded until the test ends. */
export async function load (t: Test, directory: string): Promise<LoadedSavedModel> {
  const loaded = await loadSavedModel(directory)
  t.teardown(async () => { await loaded.dispose() })
  return loaded
}

/** Frozen until the test ends. */
export async function freeze (t: Test, loaded: LoadedSavedModel, signatureNames = Object.keys(loaded.signatures)): Promise<FrozenModel> {
  const freezing = await freezeSavedModel(loaded, signatureNames)
  if (freezing.kind === 'refused') throw new Error(freezing.reason)
  t.teardown(async () => { await freezing.model.dispose() })
  return freezing.model
}

/** Answers frozen have to be those as it was saved. @returns types of the frozen graph's operations, each as often as it is there */
export async function typesOnceFrozen (t: Test, directory: string, options?: { tolerance?: number }): Promise<Record<string, number>> {
  const loaded = await load(t, directory)
  const frozen = await freeze(t, loaded)
  await sameAnswers(t, loaded, frozen, options)
  return await operationTypes(frozen)
}

/** Numbers between −0.5 and 0.5 for variables. */
export function variedNumbers (count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index * 37 % 101) / 101 - 0.5)
}

/** Types of a graph's operations and of those in its functions, each as often as it is there. */
export async function operationTypes (frozen: FrozenModel): Promise<Record<string, number>> {
  const { node, library } = fromBinary(GraphDefSchema, await frozen.graphDef())
  const bodies = (library?.function ?? []).flatMap(bytes => fromBinary(FunctionDefSchema, bytes).nodeDef)
  const counts: Record<string, number> = {}
  for (const { op } of [...node, ...bodies].map(bytes => fromBinary(NodeDefSchema, bytes))) counts[op] = (counts[op] ?? 0) + 1
  return counts
}
