import { api } from './library.ts'
import { offLoop, type Pointer } from './c-api.ts'
import { pointerArray } from './buffer.ts'
import type { NumericArray, TensorParts, TensorValue } from './dtype.ts'
import type { Graph } from './graph.ts'
import { outputArray, type Operation, type Output } from './operation.ts'
import { newSessionOptions, type SessionOptions } from './session-options.ts'
import { checked, Status } from './status.ts'
import { copyNumbers, readTensor, Tensor } from './tensor.ts'

/** What one run is given and asked for. */
export interface RunRequest {
  /** Values for placeholders, or for any other output. A `Tensor` stays its owner's, a value is copied before `run` returns. */
  feeds?: readonly (readonly [Output, TensorValue | TensorParts | Tensor])[]
  fetches?: readonly Output[]
  /** Operations to run for their effect. */
  targets?: readonly Operation[]
}

/** A device that a session can use. */
export interface Device {
  /** As `/job:localhost/replica:0/task:0/device:GPU:0`. */
  name: string
  /** `CPU` or `GPU`. */
  type: string
}

/** What runs a graph and holds its variables. Owned by its maker; close it before its graph is disposed. */
export class Session {
  #pointer: Pointer
  readonly #idle = new IdleGate()

  /** @param loaded a TF_Session that TensorFlow made with this graph, taken over; else a new one is made */
  constructor (graph: Graph, options: SessionOptions = {}, loaded?: Pointer) {
    this.#pointer = loaded ?? newSession(graph, options)
  }

  get pointer (): Pointer {
    if (this.#pointer === null) throw new Error('The session is closed. This is a bug.')
    return this.#pointer
  }

  /**
   * Runs the graph on a thread of libuv's pool; several runs may be under way at once.
   *
   * @returns the fetches in their order, in JavaScript's own memory
   * @throws TensorFlowError with TensorFlow's reason. Whatever happens, nothing of TensorFlow's is left behind
   */
  async run (request: RunRequest): Promise<TensorValue[]> {
    return await this.#runFed(request, readAll)
  }

  /**
   * As `run`, for numbers only: each fetch is written into memory of the caller's when the run is over.
   *
   * @param into for each fetch in its order as many bytes as it has
   * @throws RangeError if one has more or fewer; TensorFlowError as `run`
   */
  async runInto (request: RunRequest, into: readonly NumericArray[]): Promise<void> {
    await this.#runFed(request, results => { results.forEach((result, index) => { copyNumbers(result, into[index]!) }) })
  }

  async #runFed<Result> ({ feeds = [], fetches = [], targets = [] }: RunRequest, take: (results: BigUint64Array) => Result): Promise<Result> {
    const session = this.pointer
    const own: Tensor[] = []
    const leave = this.#idle.enter()
    try {
      const values = feeds.map(([, value]) => value instanceof Tensor ? value : keep(own, Tensor.from(value)))
      return await sessionRun(session, { inputs: feeds.map(([output]) => output), values, fetches, targets }, take)
    } finally {
      for (const tensor of own) tensor.dispose()
      leave()
    }
  }

  /**
   * Computes tensors and leaves them in TensorFlow's memory, of the caller to dispose: a variable's value is not copied.
   *
   * @throws TensorFlowError as `run`
   */
  async fetch (fetches: readonly Output[]): Promise<Tensor[]> {
    const leave = this.#idle.enter()
    try {
      return await sessionRun(this.pointer, { inputs: [], values: [], fetches, targets: [] }, adoptAll)
    } finally {
      leave()
    }
  }

  /** CPUs and GPUs of this session. */
  devices (): Device[] {
    const c = api()
    const list = checked(status => c.TF_SessionListDevices(this.pointer, status))
    try {
      return Array.from({ length: c.TF_DeviceListCount(list) }, (_, index) => ({
        name: checked(status => c.TF_DeviceListName(list, index, status)),
        type: checked(status => c.TF_DeviceListType(list, index, status))
      }))
    } finally {
      c.TF_DeleteDeviceList(list)
    }
  }

  /** Waits for the runs under way, then frees the session and its variables off the event loop. Idempotent. */
  async close (): Promise<void> {
    const pointer = this.#pointer
    if (pointer === null) return
    this.#pointer = null
    await this.#idle.whenIdle()
    await freeSession(pointer)
  }
}

function newSession (graph: Graph, options: SessionOptions): Pointer {
  const sessionOptions = newSessionOptions(options)
  try {
    return checked(status => api().TF_NewSession(graph.pointer, sessionOptions, status))
  } finally {
    api().TF_DeleteSessionOptions(sessionOptions)
  }
}

function keep<Item> (list: Item[], item: Item): Item {
  list.push(item)
  return item
}

interface SessionRun {
  inputs: readonly Output[]
  values: readonly Tensor[]
  fetches: readonly Output[]
  targets: readonly Operation[]
}

/**
 * The one asynchronous call. What C reads and writes stays referenced by this frame until the call is back.
 *
 * @param take has the TF_Tensors that came out, and writes 0 over those that it keeps
 */
async function sessionRun<Result> (session: Pointer, { inputs, values, fetches, targets }: SessionRun, take: (results: BigUint64Array) => Result): Promise<Result> {
  const memory = {
    inputs: outputArray(inputs),
    values: pointerArray(values.map(({ pointer }) => pointer)),
    outputs: outputArray(fetches),
    results: new BigUint64Array(fetches.length),
    targets: pointerArray(targets.map(({ pointer }) => pointer))
  }
  const status = new Status()
  try {
    await offLoop(api().TF_SessionRun, session, null, memory.inputs, memory.values, inputs.length, memory.outputs, memory.results, fetches.length,
      memory.targets, targets.length, null, status.pointer)
    status.check()
    return take(memory.results)
  } finally {
    status.delete()
    for (const result of memory.results) if (result !== 0n) api().TF_DeleteTensor(result)
  }
}

function readAll (results: BigUint64Array): TensorValue[] {
  return Array.from(results, readTensor)
}

function adoptAll (results: BigUint64Array): Tensor[] {
  const tensors = Array.from(results, pointer => Tensor.adopt(pointer))
  results.fill(0n)
  return tensors
}

async function freeSession (pointer: Pointer): Promise<void> {
  const c = api()
  const status = new Status()
  try {
    await offLoop(c.TF_CloseSession, pointer, status.pointer)
    await offLoop(c.TF_DeleteSession, pointer, status.pointer)
  } finally {
    status.delete()
  }
}

/** Counts what is inside and tells when nothing is. */
class IdleGate {
  #inside = 0
  #waiting: (() => void)[] = []

  enter (): () => void {
    this.#inside++
    return () => {
      if (--this.#inside === 0) for (const resolve of this.#waiting.splice(0)) resolve()
    }
  }

  async whenIdle (): Promise<void> {
    if (this.#inside > 0) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
  }
}
