// Operations of tensorport's own for TensorFlow, registered while this library is opened (TF_LoadLibrary).
#include "operation.h"

namespace tensorport {
namespace {

void add(const Operation& operation, TF_Status* status) {
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
  for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  for (const char* attribute : operation.attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, operation.infer);
  if (operation.is_stateful) TF_OpDefinitionBuilderSetIsStateful(definition, true); // false would make it so too
  TF_RegisterOpDefinition(definition, status);
  TF_KernelBuilder* const kernel = operation.compute_async == nullptr ? TF_NewKernelBuilder(operation.name, "CPU", operation.create, operation.compute, operation.destroy)
                                                                      : TF_NewAsyncKernelBuilder(operation.name, "CPU", operation.create, operation.compute_async, operation.destroy);
  TF_RegisterKernelBuilder(operation.name, kernel, status);
}

// TensorFlow ends the process itself where a name is registered twice; it opens a library once.
[[maybe_unused]] const bool registered = [] {
  TF_Status* status = TF_NewStatus();
  for (const auto& operations : {lstm_operations(), max_pool_operations(), resize_operations(), segment_sum_operations(), turn_operations()}) {
    for (const Operation& operation : operations) add(operation, status);
  }
  TF_DeleteStatus(status);
  return true;
}();

}  // namespace
}  // namespace tensorport
