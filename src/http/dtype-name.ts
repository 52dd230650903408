import type { DType } from '../tensorflow/index.ts'

/** @see tensorflow/core/framework/types.proto */
const NAMES: Readonly<Record<DType, string>> = {
  float16: 'DT_HALF',
  bfloat16: 'DT_BFLOAT16',
  float32: 'DT_FLOAT',
  float64: 'DT_DOUBLE',
  complex64: 'DT_COMPLEX64',
  complex128: 'DT_COMPLEX128',
  int8: 'DT_INT8',
  int16: 'DT_INT16',
  int32: 'DT_INT32',
  int64: 'DT_INT64',
  uint8: 'DT_UINT8',
  uint16: 'DT_UINT16',
  uint32: 'DT_UINT32',
  uint64: 'DT_UINT64',
  bool: 'DT_BOOL',
  string: 'DT_STRING',
  resource: 'DT_RESOURCE',
  variant: 'DT_VARIANT'
}

/** A type's name in TensorFlow's protobuf messages, and so in TensorFlow Serving's replies. */
export function dtypeName (dtype: DType): string {
  return NAMES[dtype]
}
