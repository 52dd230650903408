// Operations of tensorport's own for TensorFlow, registered while this library is opened (TF_LoadLibrary).
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "lstm.h"
#include "tensorflow-c-api.h"
#include "thread-pool.h"

namespace tensorport {
namespace {

// The best that the processor has, and TENSORPORT_CUSTOM_OPERATIONS (`avx2`, `baseline`) allows.
const Lstm& choose_lstm() {
#if defined(__x86_64__)
  const char* given = std::getenv("TENSORPORT_CUSTOM_OPERATIONS");
  const std::string most = given == nullptr ? "" : given;
  if (most != "baseline" && most != "avx2" && __builtin_cpu_supports("avx512f")) return kLstmAvx512;
  if (most != "baseline" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kLstmAvx2;
#endif
  return kLstmBaseline;
}

const Lstm& kBestLstm = choose_lstm();

int64_t as_side(std::size_t size) { return static_cast<int64_t>(size); }

// Calculations that take as long as waking a thread does many times over.
constexpr std::size_t kWorthAThread = 1'000'000;

// Into how many parts some work is to be cut, each for a thread.
std::size_t parts_of(std::size_t calculations, std::size_t most) {
  return std::max<std::size_t>(1, std::min({ThreadPool::shared().size(), most, calculations / kWorthAThread}));
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

// Of x [steps, rows, inputs], the first input, and h0 [rows, units], the second.
LstmSizes lstm_sizes(Call& call) {
  const TF_Tensor* x = call.input(0);
  const TF_Tensor* h0 = call.input(1);
  if (call.failed()) return {};
  if (TF_NumDims(x) != 3 || TF_NumDims(h0) != 2) {
    call.fail("Input 0 is to be [steps, rows, inputs], input 1 [rows, units]");
    return {};
  }
  const auto side = [](const TF_Tensor* of, int axis) { return static_cast<std::size_t>(TF_Dim(of, axis)); };
  return {side(x, 0), side(x, 1), side(x, 2), side(h0, 1), 0, side(x, 1)};
}

// Rows never wait for each other: each part goes through all steps with its own.
std::size_t lstm_parts(const LstmSizes& sizes) {
  const auto& [steps, rows, inputs, units, first, end] = sizes;
  return parts_of(steps * rows * (inputs + units) * 4 * units, rows / kBestLstm.tile_rows);
}

LstmSizes part_of(const LstmSizes& sizes, std::size_t part, std::size_t parts) {
  LstmSizes own = sizes;
  own.first = sizes.rows * part / parts;
  own.end = sizes.rows * (part + 1) / parts;
  return own;
}

void lstm_forward(void*, TF_OpKernelContext* context) {
  Call call(context);
  const LstmSizes sizes = lstm_sizes(call);
  const auto [steps, rows, inputs, units] = std::array<int64_t, 4>{as_side(sizes.steps), as_side(sizes.rows), as_side(sizes.inputs), as_side(sizes.units)};
  call.expect(1, {rows, units});
  call.expect(2, {rows, units});
  call.expect(3, {inputs + units, 4 * units});
  call.expect(4, {4 * units});
  const LstmForward whole = {sizes, call.floats(0), call.floats(1), call.floats(2), call.floats(3), call.floats(4),
                             call.output(0, {steps, rows, 4 * units}), call.output(1, {steps, rows, units}), call.output(2, {steps, rows, units})};
  if (call.failed()) return;
  const std::size_t parts = lstm_parts(sizes);
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    LstmForward own = whole;
    own.sizes = part_of(sizes, part, parts);
    kBestLstm.forward(own);
  });
}

void lstm_back(void*, TF_OpKernelContext* context) {
  Call call(context);
  const LstmSizes sizes = lstm_sizes(call);
  const auto [steps, rows, inputs, units] = std::array<int64_t, 4>{as_side(sizes.steps), as_side(sizes.rows), as_side(sizes.inputs), as_side(sizes.units)};
  call.expect(1, {rows, units});
  call.expect(2, {rows, units});
  call.expect(3, {inputs + units, 4 * units});
  call.expect(4, {steps, rows, 4 * units});
  call.expect(5, {steps, rows, units});
  call.expect(6, {steps, rows, units});
  const TF_Tensor* d_outputs = call.input(7);
  const bool has_d_outputs = !call.failed() && TF_TensorElementCount(d_outputs) > 0;
  if (has_d_outputs) call.expect(7, {steps, rows, units});
  call.expect(8, {rows, units});
  call.expect(9, {rows, units});
  float* d_kernel = call.output(3, {inputs + units, 4 * units});
  float* d_bias = call.output(4, {4 * units});
  const LstmBack whole = {sizes, call.floats(0), call.floats(1), call.floats(2), call.floats(3), call.floats(4), call.floats(5), call.floats(6),
                          has_d_outputs ? call.floats(7) : nullptr, call.floats(8), call.floats(9),
                          call.output(0, {steps, rows, inputs}), call.output(1, {rows, units}), call.output(2, {rows, units}), d_kernel, d_bias};
  if (call.failed()) return;
  const std::size_t parts = lstm_parts(sizes);
  const std::size_t width = 4 * sizes.units;
  const std::size_t kernel_size = (sizes.inputs + sizes.units) * width;
  // What the weights get from the rows of each part but the last, added up in the order of the parts.
  std::vector<float> others((parts - 1) * (kernel_size + width));
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    LstmBack own = whole;
    own.sizes = part_of(sizes, part, parts);
    if (part + 1 < parts) {
      own.d_kernel = others.data() + part * (kernel_size + width);
      own.d_bias = own.d_kernel + kernel_size;
    }
    kBestLstm.back(own);
  });
  for (std::size_t part = 0; part + 1 < parts; ++part) {
    const float* of_part = others.data() + part * (kernel_size + width);
    for (std::size_t index = 0; index < kernel_size; ++index) d_kernel[index] += of_part[index];
    for (std::size_t index = 0; index < width; ++index) d_bias[index] += of_part[kernel_size + index];
  }
}

// Each part has its own segments, and adds to them in the order of the rows.
void segment_sum(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* data = call.input(0);
  const TF_Tensor* numbers = call.input(1);
  const TF_Tensor* segments_given = call.input(2);
  if (call.failed()) return;
  const std::size_t rows = static_cast<std::size_t>(TF_TensorElementCount(numbers));
  if (TF_NumDims(data) != 2 || static_cast<std::size_t>(TF_Dim(data, 0)) != rows || TF_TensorElementCount(segments_given) != 1) {
    call.fail("Input 0 is to be [rows, columns], input 1 as many numbers as there are rows, input 2 a number");
    return;
  }
  const int32_t segments = *static_cast<const int32_t*>(TF_TensorData(segments_given));
  if (segments < 0) {
    call.fail("Input 2 is less than 0");
    return;
  }
  const std::size_t columns = static_cast<std::size_t>(TF_Dim(data, 1));
  const float* from = call.floats(0);
  const int32_t* segment_of = static_cast<const int32_t*>(TF_TensorData(numbers));
  float* sums = call.output(0, {segments, TF_Dim(data, 1)});
  if (call.failed()) return;
  const std::size_t parts = parts_of((rows + static_cast<std::size_t>(segments)) * columns, static_cast<std::size_t>(segments));
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    const int64_t first = static_cast<int64_t>(segments) * part / parts;
    const int64_t end = static_cast<int64_t>(segments) * (part + 1) / parts;
    std::memset(sums + first * columns, 0, static_cast<std::size_t>(end - first) * columns * sizeof(float));
    for (std::size_t row = 0; row < rows; ++row) {
      const int64_t segment = segment_of[row];
      if (segment < first || segment >= end) continue;
      float* to = sums + segment * columns;
      for (std::size_t column = 0; column < columns; ++column) to[column] += from[row * columns + column];
    }
  });
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

  // The sides from one on, before another.
  TF_ShapeHandle* part(TF_ShapeHandle* of, int64_t start, int64_t end) {
    TF_ShapeHandle* shape = handle();
    if (ok()) TF_ShapeInferenceContextSubshape(context_, of, start, end, shape, status_);
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
  TF_ShapeHandle* steps_and_rows = shapes.part(shapes.input(0), 0, 2);
  TF_ShapeHandle* states = shapes.joined(steps_and_rows, shapes.part(shapes.input(1), 1, 2));
  shapes.output(0, shapes.joined(steps_and_rows, shapes.input(4)));
  shapes.output(1, states);
  shapes.output(2, states);
}

void back_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.output(0, shapes.input(0));
  shapes.output(1, shapes.input(1));
  shapes.output(2, shapes.input(2));
  shapes.output(3, shapes.input(3));
  shapes.output(4, shapes.part(shapes.input(3), 1, 2));
}

void unknown_shape(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

struct Operation {
  const char* name;
  std::initializer_list<const char*> inputs;
  std::initializer_list<const char*> outputs;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  void (*compute)(void*, TF_OpKernelContext*);
};

const Operation kOperations[] = {
    // All steps of an LSTM with sigmoid gates and tanh: x [steps, rows, inputs], h0 and c0 [rows, units], kernel [inputs + units, 4 · units], bias [4 · units]. Gates
    // [steps, rows, 4 · units] are input, forget, candidate and output side by side, after their activations; c and h are [steps, rows, units].
    {"TensorportLstm", {"x: float", "h0: float", "c0: float", "kernel: float", "bias: float"}, {"gates: float", "c: float", "h: float"}, forward_shapes, lstm_forward},
    // Its gradient. d_outputs, at the outputs of all steps, counts as zeros if it has no elements.
    {"TensorportLstmGrad",
     {"x: float", "h0: float", "c0: float", "kernel: float", "gates: float", "c: float", "h: float", "d_outputs: float", "d_last_h: float", "d_last_c: float"},
     {"dx: float", "dh0: float", "dc0: float", "d_kernel: float", "d_bias: float"}, back_shapes, lstm_back},
    // UnsortedSegmentSum of rows: data [rows, columns], to [num_segments, columns]. What belongs to no segment is left out.
    {"TensorportSegmentSum", {"data: float", "segment_ids: int32", "num_segments: int32"}, {"sums: float"}, unknown_shape, segment_sum},
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
