import { InferenceError, ModelRejectedInputError } from '../errors.ts'
import { TensorFlowError } from '../tensorflow/index.ts'
import { cleanReason } from './tensorflow-reason.ts'

/** What TensorFlow says when the values it was given are at fault. */
const INPUT_FAULTS = new Set(['INVALID_ARGUMENT', 'OUT_OF_RANGE'])

/** Whether TensorFlow finds what it was given wrong. */
export function isInputFault (error: unknown): boolean {
  return error instanceof TensorFlowError && INPUT_FAULTS.has(error.code)
}

/**
 * What a failed run means for the client: its input was refused, or the model failed.
 *
 * @returns the error to throw; TensorFlow's own is its cause, and its status is `tensorflowCode`
 */
export function runError (model: string, error: unknown): Error {
  if (!(error instanceof TensorFlowError)) return error instanceof Error ? error : new Error(String(error))
  const reason = cleanReason(error.message)
  const ours = isInputFault(error) ? new ModelRejectedInputError(model, reason) : new InferenceError(model, reason)
  return Object.assign(ours, { cause: error, tensorflowCode: error.code })
}
