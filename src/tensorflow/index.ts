/** TensorFlow from TypeScript, through libtensorflow's C API. The only folder that knows koffi. */
export { duplicateDescriptor, loadLibrary, preferOneDnn, preloadLibrary, releaseMemory, type Library } from './library.ts'
export { favourEventLoop } from './threads.ts'
export { cacheDirectory, libraryCandidates, isPresent, TENSORFLOW_VERSION, type Candidate } from './locate.ts'
export {
  allocateArray, bytesOf, dtypeCode, dtypeFromCode, dtypeSizeBytes, elementCount, isValueDType, numbersPerElement, numericArray,
  type DType, type NumericArray, type TensorData, type TensorValue, type ValueDType
} from './dtype.ts'
export { floats, Graph, strings, type ImportOptions, type OperationInput, type OperationOptions } from './graph.ts'
export type { AttributeValue, Attributes, ShapeAttribute } from './attributes.ts'
export { opDef } from './op-def.ts'
export { ancestors, Operation, Output } from './operation.ts'
export { Variable } from './variable.ts'
export { Session, type Device, type RunRequest } from './session.ts'
export { configProto, type SessionOptions } from './session-options.ts'
export { TensorFlowError, type StatusCode } from './status.ts'
export { Tensor } from './tensor.ts'
export { readSavedModel, type MetaGraph, type SavedModelDescription, type Signature, type TensorInfo } from './saved-model.ts'
export { LoadedSavedModel, loadSavedModel, type LoadOptions } from './load-saved-model.ts'
export { FrozenModel, freezeSavedModel, type Freezing } from './freeze.ts'
export { withUint8Input, type PixelScaling } from './uint8-input.ts'
export type { RunnableModel } from './graph-model.ts'
export { writeSavedModel, type SavedModelSource, type SignatureOutputs } from './write-saved-model.ts'
export { eventFileHeader, scalarRecord } from './event-file.ts'
