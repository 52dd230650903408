import { BadSavedModelError } from '../errors.ts'
import { isValueDType, type TensorParts, type TensorValue } from './dtype.ts'
import type { Graph } from './graph.ts'
import type { Output } from './operation.ts'
import type { Signature, TensorInfo } from './saved-model.ts'
import type { Session } from './session.ts'
import type { Tensor } from './tensor.ts'

/** Signatures in TensorFlow's memory that can be run, whatever graph stands behind them. Owned by its maker: `dispose` it once nothing runs. */
export interface RunnableModel {
  /** Of the SavedModel that it comes from. */
  readonly directory: string
  readonly graph: Graph
  readonly session: Session
  /** Types here are the graph's own where the file says something else. */
  readonly signatures: Readonly<Record<string, Signature>>
  /**
   * Runs a signature off the event loop.
   *
   * @param outputs which to compute; all if left out
   * @throws TypeError for a name that the signature has not
   * @throws TensorFlowError as `Session.run`
   */
  run (signatureName: string, inputs: Readonly<Record<string, TensorValue | TensorParts | Tensor>>, outputs?: readonly string[]): Promise<Record<string, TensorValue>>
  /** Waits for the runs under way, then frees everything. Idempotent. */
  dispose (): Promise<void>
}

/** A graph, a session on it and the signatures that name its tensors. */
export class GraphModel implements RunnableModel {
  readonly directory: string
  readonly graph: Graph
  readonly session: Session
  readonly signatures: Readonly<Record<string, Signature>>
  readonly #outputs = new Map<string, Output>()

  /** @throws BadSavedModelError if a signature names what the graph has not, or a type that can not be served */
  constructor (directory: string, graph: Graph, session: Session, signatures: Readonly<Record<string, Signature>>) {
    this.directory = directory
    this.graph = graph
    this.session = session
    this.signatures = signatures
    for (const signature of Object.values(signatures)) this.#resolve(signature)
  }

  async run (signatureName: string, inputs: Readonly<Record<string, TensorValue | TensorParts | Tensor>>, outputs?: readonly string[]): Promise<Record<string, TensorValue>> {
    const signature = this.signatures[signatureName]
    if (signature === undefined) throw new TypeError(`There is no signature "${signatureName}" in ${this.directory}`)
    const wanted = outputs ?? Object.keys(signature.outputs)
    const feeds = Object.entries(inputs).map(([name, value]) => [this.#tensor(signature.inputs, name), value] as const)
    const values = await this.session.run({ feeds, fetches: wanted.map(name => this.#tensor(signature.outputs, name)) })
    return Object.fromEntries(wanted.map((name, index) => [name, values[index]!]))
  }

  async dispose (): Promise<void> {
    await this.session.close()
    await this.graph.close()
  }

  #resolve ({ name, inputs, outputs }: Signature): void {
    for (const [key, info] of [...Object.entries(inputs), ...Object.entries(outputs)]) {
      const output = this.graph.output(info.tensorName)
      if (output === undefined) throw new BadSavedModelError(this.directory, `signature "${name}" names "${key}" as ${info.tensorName}, which its graph has not`)
      info.dtype = output.dtype
      info.isComputed = !output.operation.type.startsWith('Placeholder')
      if (!isValueDType(info.dtype)) throw new BadSavedModelError(this.directory, `signature "${name}" has "${key}" of type ${info.dtype}, which can not be served`)
      this.#outputs.set(info.tensorName, output)
    }
  }

  #tensor (side: Record<string, TensorInfo>, name: string): Output {
    const info = side[name]
    if (info === undefined) throw new TypeError(`There is no "${name}" among: ${Object.keys(side).join(', ')}`)
    return this.#outputs.get(info.tensorName)!
  }
}
