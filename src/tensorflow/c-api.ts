import koffi, { type LibraryHandle } from 'koffi'

/**
 * The functions of TensorFlow's C API that tensorport calls, as declared in tensorflow/c/c_api.h, tf_tensor.h, tf_status.h and
 * tf_buffer.h. Nothing outside this folder sees these: pointers are numbers here, and a wrong one ends the process.
 */

/** An address in the process. `null` is C's null pointer. */
export type Pointer = bigint | null

/** C's TF_Output or TF_Input: one output or one input of one operation. */
export interface CApiOutput { oper: Pointer, index: number }

/** Memory that C reads or writes during a call. The caller keeps it referenced until the call is back. */
export type Memory = NodeJS.TypedArray | Pointer

interface AsyncCall<Arguments extends unknown[], Result> {
  (...parameters: Arguments): Result
  async (...parameters: [...Arguments, (error: Error | null, result: Result) => void]): void
}

/** Runs a C function on a thread of libuv's pool. The caller keeps what C reads and writes referenced until it is back. */
export function offLoop<Arguments extends unknown[], Result> (call: Pick<AsyncCall<Arguments, Result>, 'async'>, ...parameters: Arguments): Promise<Result> {
  return new Promise((resolve, reject) => {
    call.async(...parameters, (error: Error | null, result: Result) => { if (error === null) resolve(result); else reject(error) })
  })
}

const DECLARATIONS = {
  TF_Version: 'const char* TF_Version()',
  TF_LoadLibrary: 'void* TF_LoadLibrary(const char*, void*)',
  TF_NewStatus: 'void* TF_NewStatus()',
  TF_DeleteStatus: 'void TF_DeleteStatus(void*)',
  TF_GetCode: 'int TF_GetCode(void*)',
  TF_Message: 'const char* TF_Message(void*)',
  TF_NewBuffer: 'void* TF_NewBuffer()',
  TF_NewBufferFromString: 'void* TF_NewBufferFromString(void*, size_t)',
  TF_DeleteBuffer: 'void TF_DeleteBuffer(void*)',
  TF_AllocateTensor: 'void* TF_AllocateTensor(int, void*, int, size_t)',
  TF_DeleteTensor: 'void TF_DeleteTensor(void*)',
  TF_TensorType: 'int TF_TensorType(void*)',
  TF_NumDims: 'int TF_NumDims(void*)',
  TF_Dim: 'int64_t TF_Dim(void*, int)',
  TF_TensorByteSize: 'size_t TF_TensorByteSize(void*)',
  TF_TensorData: 'void* TF_TensorData(void*)',
  TF_NewGraph: 'void* TF_NewGraph()',
  TF_DeleteGraph: 'void TF_DeleteGraph(void*)',
  TF_NewOperation: 'void* TF_NewOperation(void*, const char*, const char*)',
  TF_SetDevice: 'void TF_SetDevice(void*, const char*)',
  TF_AddInput: 'void TF_AddInput(void*, TF_Output)',
  TF_AddInputList: 'void TF_AddInputList(void*, void*, int)',
  TF_AddControlInput: 'void TF_AddControlInput(void*, void*)',
  TF_SetAttrString: 'void TF_SetAttrString(void*, const char*, void*, size_t)',
  TF_SetAttrStringList: 'void TF_SetAttrStringList(void*, const char*, void*, void*, int)',
  TF_SetAttrInt: 'void TF_SetAttrInt(void*, const char*, int64_t)',
  TF_SetAttrIntList: 'void TF_SetAttrIntList(void*, const char*, void*, int)',
  TF_SetAttrFloat: 'void TF_SetAttrFloat(void*, const char*, float)',
  TF_SetAttrFloatList: 'void TF_SetAttrFloatList(void*, const char*, void*, int)',
  TF_SetAttrBool: 'void TF_SetAttrBool(void*, const char*, uint8_t)',
  TF_SetAttrBoolList: 'void TF_SetAttrBoolList(void*, const char*, void*, int)',
  TF_SetAttrType: 'void TF_SetAttrType(void*, const char*, int)',
  TF_SetAttrTypeList: 'void TF_SetAttrTypeList(void*, const char*, void*, int)',
  TF_SetAttrShape: 'void TF_SetAttrShape(void*, const char*, void*, int)',
  TF_SetAttrShapeList: 'void TF_SetAttrShapeList(void*, const char*, void*, void*, int)',
  TF_SetAttrTensor: 'void TF_SetAttrTensor(void*, const char*, void*, void*)',
  TF_SetAttrFuncName: 'void TF_SetAttrFuncName(void*, const char*, void*, size_t)',
  TF_FinishOperation: 'void* TF_FinishOperation(void*, void*)',
  TF_OperationName: 'const char* TF_OperationName(void*)',
  TF_OperationOpType: 'const char* TF_OperationOpType(void*)',
  TF_OperationNumOutputs: 'int TF_OperationNumOutputs(void*)',
  TF_OperationNumInputs: 'int TF_OperationNumInputs(void*)',
  TF_OperationInput: 'TF_Output TF_OperationInput(TF_Input)',
  TF_OperationOutputNumConsumers: 'int TF_OperationOutputNumConsumers(TF_Output)',
  TF_OperationOutputConsumers: 'int TF_OperationOutputConsumers(TF_Output, void*, int)',
  TF_OperationOutputType: 'int TF_OperationOutputType(TF_Output)',
  TF_OperationGetAttrBool: 'void TF_OperationGetAttrBool(void*, const char*, void*, void*)',
  TF_OperationGetAttrType: 'void TF_OperationGetAttrType(void*, const char*, void*, void*)',
  TF_OperationGetAttrMetadata: 'TF_AttrMetadata TF_OperationGetAttrMetadata(void*, const char*, void*)',
  TF_OperationGetAttrShape: 'void TF_OperationGetAttrShape(void*, const char*, void*, int, void*)',
  TF_GraphGetTensorNumDims: 'int TF_GraphGetTensorNumDims(void*, TF_Output, void*)',
  TF_GraphGetTensorShape: 'void TF_GraphGetTensorShape(void*, TF_Output, void*, int, void*)',
  TF_GraphOperationByName: 'void* TF_GraphOperationByName(void*, const char*)',
  TF_GraphNextOperation: 'void* TF_GraphNextOperation(void*, void*)',
  TF_GraphGetOpDef: 'void TF_GraphGetOpDef(void*, const char*, void*, void*)',
  TF_GraphToGraphDef: 'void TF_GraphToGraphDef(void*, void*, void*)',
  TF_AddGradients: 'void TF_AddGradients(void*, void*, int, void*, int, void*, void*, void*)',
  TF_GraphToFunction: 'void* TF_GraphToFunction(void*, const char*, uint8_t, int, void*, int, void*, int, void*, void*, void*, const char*, void*)',
  TF_GraphCopyFunction: 'void TF_GraphCopyFunction(void*, void*, void*, void*)',
  TF_GraphNumFunctions: 'int TF_GraphNumFunctions(void*)',
  TF_GraphGetFunctions: 'int TF_GraphGetFunctions(void*, void*, int, void*)',
  TF_FunctionName: 'const char* TF_FunctionName(void*)',
  TF_DeleteFunction: 'void TF_DeleteFunction(void*)',
  TF_NewImportGraphDefOptions: 'void* TF_NewImportGraphDefOptions()',
  TF_DeleteImportGraphDefOptions: 'void TF_DeleteImportGraphDefOptions(void*)',
  TF_ImportGraphDefOptionsSetPrefix: 'void TF_ImportGraphDefOptionsSetPrefix(void*, const char*)',
  TF_ImportGraphDefOptionsAddInputMapping: 'void TF_ImportGraphDefOptionsAddInputMapping(void*, const char*, int, TF_Output)',
  TF_GraphImportGraphDef: 'void TF_GraphImportGraphDef(void*, void*, void*, void*)',
  TF_NewSessionOptions: 'void* TF_NewSessionOptions()',
  TF_DeleteSessionOptions: 'void TF_DeleteSessionOptions(void*)',
  TF_SetConfig: 'void TF_SetConfig(void*, void*, size_t, void*)',
  TF_NewSession: 'void* TF_NewSession(void*, void*, void*)',
  TF_LoadSessionFromSavedModel: 'void* TF_LoadSessionFromSavedModel(void*, void*, const char*, void*, int, void*, void*, void*)',
  TF_CloseSession: 'void TF_CloseSession(void*, void*)',
  TF_DeleteSession: 'void TF_DeleteSession(void*, void*)',
  TF_SessionRun: 'void TF_SessionRun(void*, void*, void*, void*, int, void*, void*, int, void*, int, void*, void*)',
  TF_SessionListDevices: 'void* TF_SessionListDevices(void*, void*)',
  TF_DeviceListCount: 'int TF_DeviceListCount(void*)',
  TF_DeviceListName: 'const char* TF_DeviceListName(void*, int, void*)',
  TF_DeviceListType: 'const char* TF_DeviceListType(void*, int, void*)',
  TF_DeleteDeviceList: 'void TF_DeleteDeviceList(void*)'
} as const

/** A C function, to be called at once or off the event loop. */
export type Fn<Arguments extends unknown[], Result> = AsyncCall<Arguments, Result>

/** One typed member for each declaration; parameter names are those of the C headers. */
export interface CApi {
  TF_Version: Fn<[], string>
  TF_LoadLibrary: Fn<[path: string, status: Pointer], Pointer>
  TF_NewStatus: Fn<[], Pointer>
  TF_DeleteStatus: Fn<[status: Pointer], void>
  TF_GetCode: Fn<[status: Pointer], number>
  TF_Message: Fn<[status: Pointer], string>
  TF_NewBuffer: Fn<[], Pointer>
  TF_NewBufferFromString: Fn<[proto: Memory, length: number], Pointer>
  TF_DeleteBuffer: Fn<[buffer: Pointer], void>
  TF_AllocateTensor: Fn<[dtype: number, dims: Memory, dimCount: number, sizeBytes: number], Pointer>
  TF_DeleteTensor: Fn<[tensor: Pointer], void>
  TF_TensorType: Fn<[tensor: Pointer], number>
  TF_NumDims: Fn<[tensor: Pointer], number>
  TF_Dim: Fn<[tensor: Pointer, index: number], number | bigint>
  TF_TensorByteSize: Fn<[tensor: Pointer], number | bigint>
  TF_TensorData: Fn<[tensor: Pointer], Pointer>
  TF_NewGraph: Fn<[], Pointer>
  TF_DeleteGraph: Fn<[graph: Pointer], void>
  TF_NewOperation: Fn<[graph: Pointer, type: string, name: string], Pointer>
  TF_SetDevice: Fn<[description: Pointer, device: string], void>
  TF_AddInput: Fn<[description: Pointer, input: CApiOutput], void>
  TF_AddInputList: Fn<[description: Pointer, inputs: Memory, count: number], void>
  TF_AddControlInput: Fn<[description: Pointer, operation: Pointer], void>
  TF_SetAttrString: Fn<[description: Pointer, name: string, value: Memory, length: number], void>
  TF_SetAttrStringList: Fn<[description: Pointer, name: string, values: Memory, lengths: Memory, count: number], void>
  TF_SetAttrInt: Fn<[description: Pointer, name: string, value: number | bigint], void>
  TF_SetAttrIntList: Fn<[description: Pointer, name: string, values: Memory, count: number], void>
  TF_SetAttrFloat: Fn<[description: Pointer, name: string, value: number], void>
  TF_SetAttrFloatList: Fn<[description: Pointer, name: string, values: Memory, count: number], void>
  TF_SetAttrBool: Fn<[description: Pointer, name: string, value: number], void>
  TF_SetAttrBoolList: Fn<[description: Pointer, name: string, values: Memory, count: number], void>
  TF_SetAttrType: Fn<[description: Pointer, name: string, value: number], void>
  TF_SetAttrTypeList: Fn<[description: Pointer, name: string, values: Memory, count: number], void>
  TF_SetAttrShape: Fn<[description: Pointer, name: string, dims: Memory, count: number], void>
  TF_SetAttrShapeList: Fn<[description: Pointer, name: string, dims: Memory, counts: Memory, count: number], void>
  TF_SetAttrTensor: Fn<[description: Pointer, name: string, tensor: Pointer, status: Pointer], void>
  TF_SetAttrFuncName: Fn<[description: Pointer, name: string, value: Memory, length: number], void>
  TF_FinishOperation: Fn<[description: Pointer, status: Pointer], Pointer>
  TF_OperationName: Fn<[operation: Pointer], string>
  TF_OperationOpType: Fn<[operation: Pointer], string>
  TF_OperationNumOutputs: Fn<[operation: Pointer], number>
  TF_OperationNumInputs: Fn<[operation: Pointer], number>
  TF_OperationInput: Fn<[input: CApiOutput], CApiOutput>
  TF_OperationOutputNumConsumers: Fn<[output: CApiOutput], number>
  TF_OperationOutputConsumers: Fn<[output: CApiOutput, consumers: Memory, max: number], number>
  TF_OperationOutputType: Fn<[output: CApiOutput], number>
  TF_OperationGetAttrBool: Fn<[operation: Pointer, name: string, value: Memory, status: Pointer], void>
  TF_OperationGetAttrType: Fn<[operation: Pointer, name: string, value: Memory, status: Pointer], void>
  TF_OperationGetAttrMetadata: Fn<[operation: Pointer, name: string, status: Pointer], { total_size: number | bigint }>
  TF_OperationGetAttrShape: Fn<[operation: Pointer, name: string, dims: Memory, count: number, status: Pointer], void>
  TF_GraphGetTensorNumDims: Fn<[graph: Pointer, output: CApiOutput, status: Pointer], number>
  TF_GraphGetTensorShape: Fn<[graph: Pointer, output: CApiOutput, dims: Memory, count: number, status: Pointer], void>
  TF_GraphOperationByName: Fn<[graph: Pointer, name: string], Pointer>
  TF_GraphNextOperation: Fn<[graph: Pointer, position: Memory], Pointer>
  TF_GraphGetOpDef: Fn<[graph: Pointer, type: string, opDef: Pointer, status: Pointer], void>
  TF_GraphToGraphDef: Fn<[graph: Pointer, graphDef: Pointer, status: Pointer], void>
  TF_AddGradients: Fn<[graph: Pointer, y: Memory, yCount: number, x: Memory, xCount: number, dx: Memory, status: Pointer, dy: Memory], void>
  TF_GraphToFunction: Fn<[graph: Pointer, name: string, appendHash: number, operationCount: number, operations: Pointer, inputCount: number,
    inputs: Memory, outputCount: number, outputs: Memory, outputNames: Pointer, options: Pointer, description: string | null, status: Pointer], Pointer>
  TF_GraphCopyFunction: Fn<[graph: Pointer, func: Pointer, gradient: Pointer, status: Pointer], void>
  TF_GraphNumFunctions: Fn<[graph: Pointer], number>
  TF_GraphGetFunctions: Fn<[graph: Pointer, functions: Memory, max: number, status: Pointer], number>
  TF_FunctionName: Fn<[func: Pointer], string>
  TF_DeleteFunction: Fn<[func: Pointer], void>
  TF_NewImportGraphDefOptions: Fn<[], Pointer>
  TF_DeleteImportGraphDefOptions: Fn<[options: Pointer], void>
  TF_ImportGraphDefOptionsSetPrefix: Fn<[options: Pointer, prefix: string], void>
  TF_ImportGraphDefOptionsAddInputMapping: Fn<[options: Pointer, source: string, index: number, target: CApiOutput], void>
  TF_GraphImportGraphDef: Fn<[graph: Pointer, graphDef: Pointer, options: Pointer, status: Pointer], void>
  TF_NewSessionOptions: Fn<[], Pointer>
  TF_DeleteSessionOptions: Fn<[options: Pointer], void>
  TF_SetConfig: Fn<[options: Pointer, proto: Memory, length: number, status: Pointer], void>
  TF_NewSession: Fn<[graph: Pointer, options: Pointer, status: Pointer], Pointer>
  TF_LoadSessionFromSavedModel: Fn<[options: Pointer, runOptions: Pointer, directory: string, tags: Memory, tagCount: number,
    graph: Pointer, metaGraphDef: Pointer, status: Pointer], Pointer>
  TF_CloseSession: Fn<[session: Pointer, status: Pointer], void>
  TF_DeleteSession: Fn<[session: Pointer, status: Pointer], void>
  TF_SessionRun: Fn<[session: Pointer, runOptions: Pointer, inputs: Memory, inputValues: Memory, inputCount: number, outputs: Memory,
    outputValues: Memory, outputCount: number, targets: Memory, targetCount: number, runMetadata: Pointer, status: Pointer], void>
  TF_SessionListDevices: Fn<[session: Pointer, status: Pointer], Pointer>
  TF_DeviceListCount: Fn<[list: Pointer], number>
  TF_DeviceListName: Fn<[list: Pointer, index: number, status: Pointer], string>
  TF_DeviceListType: Fn<[list: Pointer, index: number, status: Pointer], string>
  TF_DeleteDeviceList: Fn<[list: Pointer], void>
}

/** Once a process: koffi's types are global. */
let structsDeclared = false

/**
 * Binds every declaration to an opened libtensorflow.
 *
 * @throws Error if the library lacks one of the functions
 */
export function bindCApi (library: LibraryHandle): CApi {
  if (!structsDeclared) declareStructs()
  structsDeclared = true
  const entries = Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)] as const)
  return Object.fromEntries(entries) as unknown as CApi
}

function declareStructs (): void {
  koffi.struct('TF_Output', { oper: 'void*', index: 'int' })
  koffi.struct('TF_Input', { oper: 'void*', index: 'int' })
  koffi.struct('TF_AttrMetadata', { is_list: 'uint8_t', list_size: 'int64_t', type: 'int', total_size: 'int64_t' })
}
