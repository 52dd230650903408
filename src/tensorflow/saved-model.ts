import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBinary } from '@bufbuild/protobuf'
import { BadSavedModelError } from '../errors.ts'
import { sidesOf } from './attribute-values.ts'
import { dtypeFromCode, type DType } from './dtype.ts'
import { GraphWalk, type Reach } from './graph-walk.ts'
import { opDef } from './op-def.ts'
import { changesState } from './state.ts'
import { SavedModelSchema, type MetaGraphDef, type SignatureDef, type TensorInfo as TensorInfoMessage } from './proto/tensorflow_pb.js'

/** One named input or output of a signature. */
export interface TensorInfo {
  /** In the graph, as `serving_default_x:0`. */
  tensorName: string
  dtype: DType
  /** −1 for a free dimension; undefined if even the rank is open. */
  shape: number[] | undefined
  /** The graph computes it. Fed all the same, it may have another shape than declared: half_plus_two's x comes out of a parser. Known once loaded */
  isComputed?: boolean
}

/** A named function of a SavedModel. */
export interface Signature {
  name: string
  /** As `tensorflow/serving/predict`. */
  method: string
  inputs: Record<string, TensorInfo>
  outputs: Record<string, TensorInfo>
  /** Running it writes to a variable, a table or another state that later runs see. */
  changesState: boolean
}

/** One graph of a SavedModel, chosen by its tags. */
export interface MetaGraph {
  tags: string[]
  signatures: Record<string, Signature>
  /** Signatures that can not be run, with the reason. */
  unusable: Record<string, string>
  /** Names of the variables that the signatures read. */
  variables: string[]
  /** TensorFlow may forget the slope of a leaky ReLU, if it lets convolutions do what comes after them along. */
  mayForgetSlopes: boolean
}

export interface SavedModelDescription {
  directory: string
  sizeBytes: number
  metaGraphs: MetaGraph[]
}

/** Every TensorFlow 2 model lists its own initialization among its signatures. */
const INIT_OP = '__saved_model_init_op'

/**
 * Reads what a SavedModel offers without loading it: tags and signatures, what they change and which variables they read.
 * Lets the event loop in every few milliseconds.
 *
 * @throws BadSavedModelError if the directory holds none, it is broken or needs an operation that this TensorFlow has not
 */
export async function readSavedModel (directory: string): Promise<SavedModelDescription> {
  const bytes = await readProto(directory)
  const message = decode(directory, bytes)
  const metaGraphs: MetaGraph[] = []
  for (const metaGraph of message.metaGraphs) metaGraphs.push(await describe(directory, metaGraph))
  return { directory, sizeBytes: bytes.byteLength, metaGraphs }
}

async function readProto (directory: string): Promise<Uint8Array> {
  const path = join(directory, 'saved_model.pb')
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw new BadSavedModelError(directory, `saved_model.pb can not be read: ${message}`)
    const isText = await stat(`${path}txt`).then(() => true, () => false)
    throw new BadSavedModelError(directory, isText ? 'saved_model.pbtxt is the text form, which is not supported: save it as saved_model.pb' : 'has no saved_model.pb')
  }
}

function decode (directory: string, bytes: Uint8Array): ReturnType<typeof fromBinary<typeof SavedModelSchema>> {
  let message
  try {
    message = fromBinary(SavedModelSchema, bytes, { readUnknownFields: false })
  } catch (error) {
    throw new BadSavedModelError(directory, `saved_model.pb is broken or half-copied: ${(error as Error).message}`)
  }
  if (message.metaGraphs.length === 0) throw new BadSavedModelError(directory, 'saved_model.pb holds no graph: it is empty or not a SavedModel')
  if (message.savedModelSchemaVersion !== 1n) throw new BadSavedModelError(directory, `saved_model.pb has schema version ${message.savedModelSchemaVersion}, supported is 1`)
  return message
}

async function describe (directory: string, { metaInfoDef, graphDef, signatureDef }: MetaGraphDef): Promise<MetaGraph> {
  const walk = await GraphWalk.decode(graphDef).catch((error: unknown) => {
    throw new BadSavedModelError(directory, `the graph in saved_model.pb is broken or half-copied: ${(error as Error).message}`)
  })
  const description: MetaGraph = { tags: metaInfoDef?.tags ?? [], signatures: {}, unusable: {}, variables: [], mayForgetSlopes: false }
  const variables = new Set<string>()
  for (const [name, message] of Object.entries(signatureDef)) {
    if (name === INIT_OP) continue
    const signature = readSignature(name, message)
    if (typeof signature === 'string') {
      description.unusable[name] = signature
      continue
    }
    const reach = await walkSignature(directory, walk, signature)
    for (const variable of reach.variables) variables.add(variable)
    description.mayForgetSlopes ||= reach.mayForgetSlopes
    description.signatures[name] = signature
  }
  description.variables = [...variables].sort()
  return description
}

async function walkSignature (directory: string, walk: GraphWalk, signature: Signature): Promise<Reach> {
  const reach = await walk.reach(Object.values(signature.outputs).map(({ tensorName }) => tensorName))
  const unknown = [...reach.operations].filter(type => opDef(type) === undefined)
  if (unknown.length > 0) throw new BadSavedModelError(directory, `signature "${signature.name}" needs operations that this TensorFlow has not: ${unknown.sort().join(', ')}`)
  signature.changesState = [...reach.operations].some(changesState)
  return reach
}

/** @returns the reason where the signature can not be run */
function readSignature (name: string, { methodName, inputs, outputs }: SignatureDef): Signature | string {
  const read = (side: Record<string, TensorInfoMessage>): [string, TensorInfo | string][] => Object.entries(side).map(([key, value]) => [key, readTensorInfo(value)])
  const sides = [read(inputs), read(outputs)]
  const refused = sides.flat().find(([, info]) => typeof info === 'string')
  if (refused !== undefined) return `"${refused[0]}" ${refused[1] as string}`
  const [readInputs, readOutputs] = sides.map(side => Object.fromEntries(side) as Record<string, TensorInfo>)
  return { name, method: methodName, inputs: readInputs!, outputs: readOutputs!, changesState: false }
}

function readTensorInfo ({ name, dtype: code, tensorShape }: TensorInfoMessage): TensorInfo | string {
  if (name === '') return 'is a sparse or composite tensor, which can not be served'
  const dtype = dtypeFromCode(code)
  if (dtype === undefined) return `has TensorFlow's type ${code}, which can not be served`
  return { tensorName: name, dtype, shape: sidesOf(tensorShape) }
}
