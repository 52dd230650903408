// Operations of tensorport's own for TensorFlow, registered while this library is opened (TF_LoadLibrary).
#include <algorithm>
#include <initializer_list>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "lstm-walk.h"
#include "tensorflow-c-api.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace tensorport {
namespace {

const Walker& best_walker() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return kWalkerAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kWalkerAvx2;
#endif
  return kWalkerBaseline;
}

std::size_t processors() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<std::size_t>(CPU_COUNT(&allowed));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

// Multiplications that take as long as starting a thread does many times over.
constexpr std::size_t kWorthAThread = 4'000'000;

// Rows never wait for each other: each thread takes its share of them through all steps. The new ones have the way this one rounds and flushes to zero.
template <typename Given>
void walk_in_threads(void (*walk)(const Given&), Given given) {
  const auto [steps, rows, units] = std::tuple(given.walk.steps, given.walk.rows, given.walk.units);
  const std::size_t most = std::max<std::size_t>(1, steps * rows * units * 4 * units / kWorthAThread);
  const std::size_t count = std::max<std::size_t>(1, std::min({processors(), rows, most}));
  std::vector<std::thread> others;
  for (std::size_t part = 0; part < count; ++part) {
    given.walk.first = rows * part / count;
    given.walk.end = rows * (part + 1) / count;
    if (part + 1 == count) walk(given);
    else others.emplace_back(walk, given);
  }
  for (std::thread& other : others) other.join();
}

// What a kernel was given and is to give. After a failure, which it reports to TensorFlow, nothing more is done.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}

  ~Call() {
    for (TF_Tensor* tensor : tensors_) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status_);
  }

  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool failed() const { return failed_; }

  TF_Tensor* input(int index) {
    TF_Tensor* tensor = nullptr;
    if (!failed_) TF_GetInput(context_, index, &tensor, status_);
    return keep(tensor);
  }

  const float* floats(int index) { return data(input(index)); }

  // Fails if an input has not the shape that the first ones ask for.
  void expect(int index, std::initializer_list<int64_t> shape) {
    const TF_Tensor* tensor = input(index);
    if (failed_) return;
    bool fits = TF_NumDims(tensor) == static_cast<int>(shape.size());
    int axis = 0;
    for (int64_t side : shape) fits = fits && TF_Dim(tensor, axis++) == side;
    if (!fits) fail("Input " + std::to_string(index) + " has another shape than the inputs before it ask for");
  }

  float* output(int index, std::initializer_list<int64_t> shape) {
    if (failed_) return nullptr;
    return data(keep(TF_AllocateOutput(context_, index, TF_FLOAT, shape.begin(), static_cast<int>(shape.size()), bytes(shape), status_)));
  }

  void fail(const std::string& message) {
    if (failed_) return;
    TF_SetStatus(status_, TF_INVALID_ARGUMENT, message.c_str());
    report();
  }

 private:
  static std::size_t bytes(std::initializer_list<int64_t> shape) {
    std::size_t count = sizeof(float);
    for (int64_t side : shape) count *= static_cast<std::size_t>(side);
    return count;
  }

  TF_Tensor* keep(TF_Tensor* tensor) {
    if (tensor != nullptr) tensors_.push_back(tensor);
    if (!failed_ && TF_GetCode(status_) != TF_OK) report();
    return failed_ ? nullptr : tensor;
  }

  void report() {
    failed_ = true;
    TF_OpKernelContext_Failure(context_, status_);
  }

  static float* data(TF_Tensor* tensor) { return tensor == nullptr ? nullptr : static_cast<float*>(TF_TensorData(tensor)); }

  TF_OpKernelContext* context_;
  TF_Status* status_;
  std::vector<TF_Tensor*> tensors_;
  bool failed_ = false;
};

struct Sizes {
  int64_t steps;
  int64_t rows;
  int64_t units;

  Walk walk() const { return {static_cast<std::size_t>(steps), static_cast<std::size_t>(rows), static_cast<std::size_t>(units), 0, 0}; }
};

// Of a first input [steps, rows, 4 · units].
Sizes sizes_of(Call& call) {
  const TF_Tensor* gates = call.input(0);
  if (call.failed()) return {};
  if (TF_NumDims(gates) != 3 || TF_Dim(gates, 2) % 4 != 0) {
    call.fail("Input 0 has not the shape [steps, rows, 4 * units]");
    return {};
  }
  return {TF_Dim(gates, 0), TF_Dim(gates, 1), TF_Dim(gates, 2) / 4};
}

void lstm_forward(void*, TF_OpKernelContext* context) {
  Call call(context);
  const Sizes sizes = sizes_of(call);
  const auto [steps, rows, units] = sizes;
  call.expect(1, {rows, units});
  call.expect(2, {rows, units});
  call.expect(3, {units, 4 * units});
  call.expect(4, {4 * units});
  const WalkForward given = {sizes.walk(), call.floats(4), call.floats(3), call.floats(1), call.floats(2), call.floats(0),
                             call.output(0, {steps, rows, 4 * units}), call.output(1, {steps, rows, units}), call.output(2, {steps, rows, units})};
  if (!call.failed()) walk_in_threads(best_walker().forward, given);
}

void lstm_back(void*, TF_OpKernelContext* context) {
  Call call(context);
  const Sizes sizes = sizes_of(call);
  const auto [steps, rows, units] = sizes;
  call.expect(1, {steps, rows, units});
  call.expect(2, {rows, units});
  call.expect(3, {units, 4 * units});
  const TF_Tensor* d_outputs = call.input(4);
  const bool has_d_outputs = !call.failed() && TF_TensorElementCount(d_outputs) > 0;
  if (has_d_outputs) call.expect(4, {steps, rows, units});
  call.expect(5, {rows, units});
  call.expect(6, {rows, units});
  const WalkBack given = {sizes.walk(), call.floats(3), call.floats(0), call.floats(1), call.floats(2), has_d_outputs ? call.floats(4) : nullptr, call.floats(5), call.floats(6),
                          call.output(0, {steps, rows, 4 * units}), call.output(1, {rows, units}), call.output(2, {rows, units})};
  if (!call.failed()) walk_in_threads(best_walker().back, given);
}

// Shapes while a graph is built.
class Shapes {
 public:
  Shapes(TF_ShapeInferenceContext* context, TF_Status* status) : context_(context), status_(status) {}

  ~Shapes() {
    for (TF_ShapeHandle* handle : handles_) TF_DeleteShapeHandle(handle);
  }

  TF_ShapeHandle* input(int index) {
    TF_ShapeHandle* shape = handle();
    if (ok()) TF_ShapeInferenceContextGetInput(context_, index, shape, status_);
    return shape;
  }

  TF_ShapeHandle* first_side(TF_ShapeHandle* of) {
    TF_ShapeHandle* shape = handle();
    if (ok()) TF_ShapeInferenceContextSubshape(context_, of, 0, 1, shape, status_);
    return shape;
  }

  TF_ShapeHandle* joined(TF_ShapeHandle* first, TF_ShapeHandle* second) {
    TF_ShapeHandle* shape = handle();
    if (ok()) TF_ShapeInferenceContextConcatenateShapes(context_, first, second, shape, status_);
    return shape;
  }

  void output(int index, TF_ShapeHandle* shape) {
    if (ok()) TF_ShapeInferenceContextSetOutput(context_, index, shape, status_);
  }

 private:
  bool ok() const { return TF_GetCode(status_) == TF_OK; }

  TF_ShapeHandle* handle() { return handles_.emplace_back(TF_NewShapeHandle()); }

  TF_ShapeInferenceContext* context_;
  TF_Status* status_;
  std::vector<TF_ShapeHandle*> handles_;
};

void forward_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  TF_ShapeHandle* gates = shapes.input(0);
  TF_ShapeHandle* states = shapes.joined(shapes.first_side(gates), shapes.input(1));
  shapes.output(0, gates);
  shapes.output(1, states);
  shapes.output(2, states);
}

void back_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.output(0, shapes.input(0));
  shapes.output(1, shapes.input(2));
  shapes.output(2, shapes.input(2));
}

struct Operation {
  const char* name;
  std::initializer_list<const char*> inputs;
  std::initializer_list<const char*> outputs;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  void (*compute)(void*, TF_OpKernelContext*);
};

// Names, inputs and outputs are those that src/training/lowering/recurrent/lstm-steps.ts uses.
const Operation kOperations[] = {
    // All steps of an LSTM with sigmoid gates and tanh, after the product of its inputs: `sums` [steps, rows, 4 · units].
    {"TensorportLstm", {"sums: float", "h0: float", "c0: float", "kernel: float", "bias: float"}, {"gates: float", "c: float", "h: float"}, forward_shapes, lstm_forward},
    // Its gradient, as far as one step has to wait for the one after it. `d_outputs` without elements counts as zeros.
    {"TensorportLstmGrad", {"gates: float", "c: float", "c0: float", "kernel: float", "d_outputs: float", "d_last_h: float", "d_last_c: float"},
     {"d_sums: float", "d_h0: float", "d_c0: float"}, back_shapes, lstm_back},
};

// TensorFlow ends the process itself where a name is registered twice; it opens a library once.
[[maybe_unused]] const bool registered = [] {
  TF_Status* status = TF_NewStatus();
  for (const Operation& operation : kOperations) {
    TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(operation.name);
    for (const char* input : operation.inputs) TF_OpDefinitionBuilderAddInput(definition, input);
    for (const char* output : operation.outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
    TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, operation.infer);
    TF_RegisterOpDefinition(definition, status);
    TF_RegisterKernelBuilder(operation.name, TF_NewKernelBuilder(operation.name, "CPU", nullptr, operation.compute, nullptr), status);
  }
  TF_DeleteStatus(status);
  return true;
}();

}  // namespace
}  // namespace tensorport
