import { copyFile, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { create, toBinary } from '@bufbuild/protobuf'
import { loadLibrary } from './library.ts'
import { dtypeCode } from './dtype.ts'
import { strings, type Graph } from './graph.ts'
import type { Operation, Output } from './operation.ts'
import type { Session } from './session.ts'
import type { Variable } from './variable.ts'
import { MetaGraphDefSchema, SavedModelSchema, type MetaGraphDef } from './proto/tensorflow_pb.js'

/** The method that TensorFlow Serving asks of a signature for its predict call. */
const PREDICT_METHOD = 'tensorflow/serving/predict'

export interface SignatureOutputs {
  inputs: Readonly<Record<string, Output>>
  outputs: Readonly<Record<string, Output>>
  /** Default `tensorflow/serving/predict`. */
  method?: string
}

export interface SavedModelSource {
  graph: Graph
  /** Holds the variables' values. */
  session: Session
  /** Those to be saved: all that the signatures read. */
  variables: readonly Variable[]
  signatures: Readonly<Record<string, SignatureOutputs>>
  /** Files to lay into `assets/`: name there → path of the source. */
  assets?: Readonly<Record<string, string>>
}

/**
 * Writes a SavedModel that TensorFlow, TensorFlow Serving and Python's `tf.saved_model.load` open. Adds what saves and restores the
 * variables to the graph; TensorFlow itself writes their values. The caller makes the whole appear at once: write aside, then rename.
 *
 * @param directory made if missing; nothing in it is removed
 * @throws TensorFlowError if a variable has no value or the disk is full
 */
export async function writeSavedModel (directory: string, { graph, session, variables, signatures, assets = {} }: SavedModelSource): Promise<void> {
  await mkdir(join(directory, 'variables'), { recursive: true })
  const saver = addSaver(graph, variables)
  await session.run({ feeds: [[saver.path, strings([], [join(directory, 'variables', 'variables')])]], targets: [saver.save] })
  if (Object.keys(assets).length > 0) await mkdir(join(directory, 'assets'), { recursive: true })
  for (const [name, source] of Object.entries(assets)) await copyFile(source, join(directory, 'assets', name))
  await writeDurably(join(directory, 'saved_model.pb'), savedModel(graph, saver, signatures))
}

interface Saver {
  /** Where to, without an extension: `…/variables/variables`. */
  path: Output
  save: Operation
  /** Gives the path after everything is saved, as TensorFlow's own savers do. */
  saved: Output
  restore: Operation
}

/** The graph of tf.train.Saver in its second format. @see tensorflow/python/training/saver.py */
function addSaver (graph: Graph, variables: readonly Variable[]): Saver {
  const path = graph.placeholder('string', [], 'saver/path')
  const names = graph.constant(strings([variables.length], variables.map(({ name }) => name)), 'saver/names')
  const slices = graph.constant(strings([variables.length], variables.map(() => '')), 'saver/slices')
  if (variables.length === 0) return emptySaver(graph, path)
  const save = graph.op('SaveV2', [path, names, slices, variables.map(variable => variable.read())], {}, { name: 'saver/save' })
  const saved = graph.apply('Identity', [path], {}, { name: 'saver/saved', controlInputs: [save] })
  const values = graph.op('RestoreV2', [path, names, slices], { dtypes: variables.map(({ dtype }) => dtype) }, { name: 'saver/restore' })
  const restore = graph.group(variables.map((variable, index) => variable.assign(values.output(index))), 'saver/restore_all')
  return { path, save, saved, restore }
}

function emptySaver (graph: Graph, path: Output): Saver {
  return { path, save: graph.group([], 'saver/save'), saved: graph.apply('Identity', [path], {}, { name: 'saver/saved' }), restore: graph.group([], 'saver/restore_all') }
}

function savedModel (graph: Graph, saver: Saver, signatures: SavedModelSource['signatures']): Uint8Array {
  const metaGraph = create(MetaGraphDefSchema, {
    metaInfoDef: { tags: ['serve'], tensorflowVersion: loadLibrary().version },
    graphDef: graph.toGraphDef(),
    saverDef: { filenameTensorName: saver.path.name, saveTensorName: saver.saved.name, restoreOpName: saver.restore.name, maxToKeep: 1, version: 2 },
    signatureDef: Object.fromEntries(Object.entries(signatures).map(([name, signature]) => [name, signatureDef(signature)]))
  })
  return toBinary(SavedModelSchema, create(SavedModelSchema, { savedModelSchemaVersion: 1n, metaGraphs: [metaGraph] }))
}

type SignatureDefInit = Pick<MetaGraphDef['signatureDef'][string], 'methodName' | 'inputs' | 'outputs'>

function signatureDef ({ inputs, outputs, method = PREDICT_METHOD }: SignatureOutputs): SignatureDefInit {
  const side = (tensors: Readonly<Record<string, Output>>): SignatureDefInit['inputs'] =>
    Object.fromEntries(Object.entries(tensors).map(([name, output]) => [name, tensorInfo(output)])) as SignatureDefInit['inputs']
  return { methodName: method, inputs: side(inputs), outputs: side(outputs) }
}

function tensorInfo (output: Output): object {
  const { name, dtype, shape } = output
  return {
    name,
    dtype: dtypeCode(dtype),
    tensorShape: shape === undefined ? { unknownRank: true } : { dim: shape.map(size => ({ size: BigInt(size) })) }
  }
}

async function writeDurably (path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
