import { api } from './library.ts'
import { offLoop, type Fn, type Pointer } from './c-api.ts'

/** TensorFlow's status codes by number. @see tsl/protobuf/error_codes.proto */
const CODES = ['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS', 'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS',
  'UNAUTHENTICATED'] as const

export type StatusCode = typeof CODES[number]

/** A call that TensorFlow refused or could not finish. The message is TensorFlow's own, first line first. */
export class TensorFlowError extends Error {
  override readonly name = 'TensorFlowError'
  readonly code: StatusCode

  constructor (code: StatusCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A TF_Status for one asynchronous call. Free it with `delete` whatever happened. */
export class Status {
  readonly pointer: Pointer = api().TF_NewStatus()

  /** @throws TensorFlowError unless the status is OK */
  check (): void {
    const c = api()
    const code = c.TF_GetCode(this.pointer)
    if (code !== 0) throw new TensorFlowError(CODES[code] ?? 'UNKNOWN', c.TF_Message(this.pointer))
  }

  delete (): void {
    api().TF_DeleteStatus(this.pointer)
  }
}

/**
 * Runs a call that reports through a status.
 *
 * @returns what the call returned
 * @throws TensorFlowError unless the status is OK
 */
export function checked<Result> (call: (status: Pointer) => Result): Result {
  const status = new Status()
  try {
    const result = call(status.pointer)
    status.check()
    return result
  } finally {
    status.delete()
  }
}

/**
 * Runs a call whose last argument is a status on a thread of libuv's pool. The caller keeps what C reads and writes referenced until it is back.
 *
 * @throws TensorFlowError unless the status is OK
 */
export async function checkedOffLoop<Arguments extends unknown[], Result> (call: Fn<[...Arguments, Pointer], Result>, ...parameters: Arguments): Promise<Result> {
  const status = new Status()
  try {
    const result = await offLoop(call, ...parameters, status.pointer)
    status.check()
    return result
  } finally {
    status.delete()
  }
}
