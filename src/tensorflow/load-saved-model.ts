import { BadSavedModelError } from '../errors.ts'
import { api } from './library.ts'
import { offLoop, type Pointer } from './c-api.ts'
import { addressOf, pointerArray } from './buffer.ts'
import { Graph } from './graph.ts'
import { GraphModel } from './graph-model.ts'
import type { Operation, Output } from './operation.ts'
import { readSavedModel, type SavedModelDescription, type Signature } from './saved-model.ts'
import { newSessionOptions, type SessionOptions } from './session-options.ts'
import { Session } from './session.ts'
import { Status, TensorFlowError } from './status.ts'

export interface LoadOptions {
  /** Which of the SavedModel's graphs; default `serve`. */
  tags?: readonly string[]
  session?: SessionOptions
  /** What `readSavedModel` gave for this directory, if the caller has it. */
  description?: SavedModelDescription
}

interface Readings {
  readonly signatures: Readonly<Record<string, Signature>>
  /** Names of the variables that they read. */
  readonly variables: readonly string[]
}

/** A SavedModel in TensorFlow's memory. Owned by its maker: `dispose` it once nothing runs. */
export class LoadedSavedModel extends GraphModel {
  readonly #variables: readonly string[]

  constructor (directory: string, graph: Graph, session: Session, { signatures, variables }: Readings) {
    super(directory, graph, session, signatures)
    this.#variables = variables
  }

  /** The same graph and session with other signatures: disposing of one disposes of both. */
  withSignatures (signatures: Readonly<Record<string, Signature>>): LoadedSavedModel {
    return new LoadedSavedModel(this.directory, this.graph, this.session, { signatures, variables: this.#variables })
  }

  /** As a GraphDef message. */
  async graphDef (): Promise<Uint8Array> {
    return await this.graph.toGraphDefOffLoop()
  }

  /** Variables that the signatures read and that no value was restored for: TensorFlow itself says nothing of them at load. */
  async missingVariables (): Promise<string[]> {
    const operations = this.#variables.map(name => this.graph.operation(name)).filter(operation => operation !== undefined)
    if (operations.length === 0) return []
    const values = await this.session.run({ fetches: operations.map(operation => this.#isInitialized(operation)) })
    return operations.filter((_, index) => values[index]!.data[0] !== 1).map(({ name }) => name)
  }

  #isInitialized (variable: Operation): Output {
    return variable.type === 'VarHandleOp'
      ? this.graph.apply('VarIsInitializedOp', [variable.output()])
      : this.graph.apply('IsVariableInitialized', [variable.output()])
  }
}

/**
 * Loads a SavedModel off the event loop: graph, variables, tables and whatever its initialization does.
 *
 * @throws BadSavedModelError if it can't be read or loaded, with the reason; nothing of it is left in memory
 */
export async function loadSavedModel (directory: string, options: LoadOptions = {}): Promise<LoadedSavedModel> {
  const { tags = ['serve'], session: sessionOptions = {} } = options
  const { metaGraphs } = options.description ?? await readSavedModel(directory)
  const metaGraph = metaGraphs.find(candidate => sameTags(candidate.tags, tags))
  if (metaGraph === undefined) throw new BadSavedModelError(directory, `has no graph tagged [${tags.join(', ')}]; it has: ${metaGraphs.map(candidate => `[${candidate.tags.join(', ')}]`).join(', ')}`)
  const graph = new Graph()
  let session: Session | undefined
  try {
    session = new Session(graph, {}, await loadSession(directory, tags, graph, metaGraph.mayForgetSlopes ? { ...sessionOptions, remaps: false } : sessionOptions))
    return new LoadedSavedModel(directory, graph, session, metaGraph)
  } catch (error) {
    await session?.close()
    await graph.close()
    if (error instanceof TensorFlowError) throw Object.assign(new BadSavedModelError(directory, `TensorFlow can not load it: ${error.message}`), { cause: error })
    throw error
  }
}

function sameTags (left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && [...left].sort().join('\n') === [...right].sort().join('\n')
}

async function loadSession (directory: string, tags: readonly string[], graph: Graph, options: SessionOptions): Promise<Pointer> {
  const names = tags.map(tag => new TextEncoder().encode(`${tag}\0`))
  const pointers = pointerArray(names.map(addressOf))
  const status = new Status()
  const sessionOptions = newSessionOptions(options)
  try {
    const session = await offLoop(api().TF_LoadSessionFromSavedModel, sessionOptions, null, directory, pointers, tags.length, graph.pointer, null, status.pointer)
    status.check()
    return session
  } finally {
    status.delete()
    api().TF_DeleteSessionOptions(sessionOptions)
    names.length = 0 // keeps the tags referenced until the call is back
  }
}
