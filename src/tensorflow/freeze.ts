import { freezeGraphDef, NotFreezableError } from './freeze-graph.ts'
import { inSlices } from './graph-walk.ts'
import { GraphModel } from './graph-model.ts'
import { Graph } from './graph.ts'
import type { LoadedSavedModel } from './load-saved-model.ts'
import type { Output } from './operation.ts'
import type { Signature } from './saved-model.ts'
import type { SessionOptions } from './session-options.ts'
import { Session } from './session.ts'
import { TensorFlowError } from './status.ts'
import type { Tensor } from './tensor.ts'

/**
 * TensorFlow keeps constants in its messages, which end at 2 GiB, holds them three times over, and copies them again and again before the first run
 * of a signature in a session: some 30 ms for each MB on 2 cores.
 */
const MAX_CONSTANTS_BYTES = 512 * 2 ** 20

/** A frozen model, or in plain words why there is none, as `its operation "table" (HashTableV2) keeps a state`. */
export type Freezing = { readonly kind: 'frozen', readonly model: FrozenModel } | { readonly kind: 'refused', readonly reason: string }

/** A model whose variables are constants of its graph. Its maker owns it, and it does not need the SavedModel that it came from. */
export class FrozenModel extends GraphModel {
  readonly #shared: SharedGraph

  constructor (directory: string, shared: SharedGraph, session: Session, signatures: Readonly<Record<string, Signature>>) {
    super(directory, shared.graph, session, signatures)
    this.#shared = shared
    shared.sessions.add(session)
  }

  /** The same graph in one more session, with its own threads. Each is disposed for itself. */
  withSession (options: SessionOptions): FrozenModel {
    return new FrozenModel(this.directory, this.#shared, newSession(this.#shared, options), this.signatures)
  }

  /** The same graph and session with other signatures: disposing of one disposes of both. */
  withSignatures (signatures: Readonly<Record<string, Signature>>): FrozenModel {
    return new FrozenModel(this.directory, this.#shared, this.session, signatures)
  }

  /** As a GraphDef message, but for the variables' values, which are constants of their names in the graph. */
  async graphDef (): Promise<Uint8Array> {
    return await Promise.resolve(this.#shared.graphDef)
  }

  override async dispose (): Promise<void> {
    const { graph, sessions } = this.#shared
    await this.session.close()
    sessions.delete(this.session)
    if (sessions.size === 0) await graph.close()
  }
}

/** A graph that goes with the last session on it. */
interface SharedGraph {
  readonly graph: Graph
  readonly graphDef: Uint8Array
  /** What fits a signature has the shapes that the graph states. */
  readonly trustsShapes: boolean
  readonly sessions: Set<Session>
}

/**
 * Makes the variables that signatures read constants of a graph of their own, with a session of its own. On a CPU, TensorFlow lays out weights and
 * folds batch normalizations once only where they are constants; and operations of tensorport's own take the place of slower ones. The loaded model stays as it was, and its files are not touched.
 *
 * @param signatureNames those that are to be run; they may share no state, and change none
 */
export async function freezeSavedModel (loaded: LoadedSavedModel, signatureNames: readonly string[], options: SessionOptions = {}): Promise<Freezing> {
  const signatures = Object.fromEntries(signatureNames.map(name => [name, structuredClone(signatureOf(loaded, name))]))
  try {
    return { kind: 'frozen', model: await freeze(loaded, signatures, options) }
  } catch (error) {
    if (error instanceof NotFreezableError || error instanceof TensorFlowError) return { kind: 'refused', reason: error.message }
    throw error
  }
}

function signatureOf ({ signatures, directory }: LoadedSavedModel, name: string): Signature {
  const signature = signatures[name]
  if (signature === undefined) throw new TypeError(`There is no signature "${name}" in ${directory}`)
  return signature
}

async function freeze (loaded: LoadedSavedModel, signatures: Readonly<Record<string, Signature>>, options: SessionOptions): Promise<FrozenModel> {
  const tensors = Object.values(signatures).flatMap(({ inputs, outputs }) => [...Object.values(inputs), ...Object.values(outputs)])
  const { graphDef, variables } = await freezeGraphDef(await loaded.graph.toGraphDefOffLoop(), tensors.map(({ tensorName }) => tensorName), name => loaded.graph.output(name)?.shape)
  if (variables.length === 0) throw new NotFreezableError('it has no variables')
  const reads: Output[] = []
  await inSlices(variables, name => { reads.push(read(loaded.graph, name)) })
  const values = await loaded.session.fetch(reads)
  const graph = new Graph()
  let session: Session | undefined
  try {
    const constants = await addConstants(graph, variables, values)
    await graph.importGraphDefOffLoop(graphDef, { inputMap: constants })
    const trustsShapes = Object.values(signatures).every(({ inputs }) => statesShapes(graph, inputs))
    const shared: SharedGraph = { graph, graphDef, trustsShapes, sessions: new Set() }
    session = newSession(shared, options)
    return new FrozenModel(loaded.directory, shared, session, signatures)
  } catch (error) {
    await session?.close()
    await graph.close()
    throw error
  } finally {
    for (const value of values) value.dispose()
  }
}

function newSession ({ graph, trustsShapes }: SharedGraph, options: SessionOptions): Session {
  return new Session(graph, { ...options, hasLargeConstants: true, trustsShapes })
}

/** Whether the graph asks of each input the shape that its signature asks of who runs it. */
function statesShapes (graph: Graph, inputs: Signature['inputs']): boolean {
  return Object.values(inputs).every(({ tensorName, shape, isComputed }) => !isComputed && graph.output(tensorName)?.shape?.join() === shape?.join())
}

function read (graph: Graph, name: string): Output {
  const variable = graph.operation(name)!
  return variable.type === 'VarHandleOp' ? graph.existingVariable(name).read() : variable.output()
}

async function addConstants (graph: Graph, names: readonly string[], values: readonly Tensor[]): Promise<Record<string, Output>> {
  const sizeBytes = values.reduce((sum, value) => sum + value.sizeBytes, 0)
  if (sizeBytes > MAX_CONSTANTS_BYTES) throw new NotFreezableError(`its variables have ${sizeBytes} bytes, and as constants may have ${MAX_CONSTANTS_BYTES}`)
  const constants: Record<string, Output> = {}
  for (const [index, name] of names.entries()) constants[`${name}:0`] = await graph.constantOffLoop(values[index]!, name)
  return constants
}
