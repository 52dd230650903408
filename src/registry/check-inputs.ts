import { BadRequestError, BadTensorError } from '../errors.ts'
import { elementCount, numbersPerElement, type Signature, type TensorInfo, type TensorValue } from '../tensorflow/index.ts'
import { fits, formatShape } from './shapes.ts'

/**
 * Checks a request's tensors against a signature, before TensorFlow sees them.
 *
 * @throws BadTensorError for the first input that is missing, unknown, of another type or of a shape that does not fit
 */
export function checkInputs (signature: Signature, inputs: Readonly<Record<string, TensorValue>>): void {
  for (const name of Object.keys(inputs)) {
    if (!Object.hasOwn(signature.inputs, name)) throw new BadTensorError(name, `is not an input of signature "${signature.name}"; it has: ${listed(signature.inputs)}`)
  }
  for (const [name, info] of Object.entries(signature.inputs)) {
    const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    if (value === undefined) throw new BadTensorError(name, `is missing; signature "${signature.name}" needs: ${listed(signature.inputs)}`)
    checkTensor(name, info, value)
  }
}

/** @throws BadRequestError for a name that the signature does not give */
export function checkOutputs (signature: Signature, outputs: readonly string[]): void {
  const unknown = outputs.find(name => !Object.hasOwn(signature.outputs, name))
  if (unknown !== undefined) throw new BadRequestError(`There is no output "${unknown}" in signature "${signature.name}"; it has: ${listed(signature.outputs)}`)
}

function checkTensor (name: string, info: TensorInfo, { dtype, shape, data }: TensorValue): void {
  if (dtype !== info.dtype) throw new BadTensorError(name, `has type ${dtype}, allowed is ${info.dtype}`)
  if (!shape.every(side => Number.isSafeInteger(side) && side >= 0)) throw new BadTensorError(name, `has shape [${shape.join(', ')}], which is none`)
  if (info.isComputed !== true && !fits(shape, info.shape)) throw new BadTensorError(name, `has shape ${formatShape(shape)}, allowed is ${formatShape(info.shape)}`)
  const expected = elementCount(shape) * numbersPerElement(dtype)
  if (data.length !== expected) throw new BadTensorError(name, `has ${data.length} values, shape ${formatShape(shape)} needs ${expected}`)
}

function listed (tensors: Readonly<Record<string, TensorInfo>>): string {
  return Object.keys(tensors).join(', ') || 'none'
}
