import { fromBinary } from '@bufbuild/protobuf'
import type { Test } from 'tap'
import { freezeSavedModel, loadSavedModel, type FrozenModel, type LoadedSavedModel } from '../../src/tensorflow/index.ts'
import { FunctionDefSchema, GraphDefSchema, NodeDefSchema } from '../../src/tensorflow/proto/tensorflow_pb.js'

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

/** Types of a graph's operations and of those in its functions, each as often as it is there. */
export async function operationTypes (frozen: FrozenModel): Promise<Record<string, number>> {
  const { node, library } = fromBinary(GraphDefSchema, await frozen.graphDef())
  const bodies = (library?.function ?? []).flatMap(bytes => fromBinary(FunctionDefSchema, bytes).nodeDef)
  const counts: Record<string, number> = {}
  for (const { op } of [...node, ...bodies].map(bytes => fromBinary(NodeDefSchema, bytes))) counts[op] = (counts[op] ?? 0) + 1
  return counts
}
