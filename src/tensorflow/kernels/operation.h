#ifndef TENSORPORT_OPERATION_H_
#define TENSORPORT_OPERATION_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "tensorflow-c-api.h"

namespace tensorport {

// An operation and its kernel, as TensorFlow is told of them. The names are those that src/training uses.
struct Operation {
  const char* name;
  std::vector<const char*> inputs;
  std::vector<const char*> outputs;
  void (*infer)(TF_ShapeInferenceContext*, TF_Status*);
  void (*compute)(void* kept, TF_OpKernelContext*);
  std::vector<const char*> attributes = {};
  // Reads the attributes; what it gives is kept for `compute`.
  void* (*create)(TF_OpKernelConstruction*) = nullptr;
  void (*destroy)(void* kept) = nullptr;
  // Run for its effect: two that look alike are still two.
  bool is_stateful = false;
  // In place of `compute`.
  void (*compute_async)(void* kept, TF_OpKernelContext*, TF_AsyncOpKernelDoneCallback*) = nullptr;
};

std::vector<Operation> lstm_operations();
std::vector<Operation> max_pool_operations();
std::vector<Operation> resize_operations();
std::vector<Operation> segment_sum_operations();
std::vector<Operation> turn_operations();

inline std::size_t side_of(const TF_Tensor* tensor, int axis) { return static_cast<std::size_t>(TF_Dim(tensor, axis)); }

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

  // A number of 64 bits; null after a failure.
  const int64_t* integer(int index) {
    const TF_Tensor* tensor = input(index);
    return tensor == nullptr ? nullptr : static_cast<const int64_t*>(TF_TensorData(tensor));
  }

  // Fails if an input has not the shape that the first ones ask for.
  void expect(int index, std::initializer_list<std::size_t> shape) {
    const TF_Tensor* tensor = input(index);
    if (failed_) return;
    bool fits = TF_NumDims(tensor) == static_cast<int>(shape.size());
    int axis = 0;
    for (std::size_t side : shape) fits = fits && side_of(tensor, axis++) == side;
    if (!fits) fail("Input " + std::to_string(index) + " has another shape than the inputs before it ask for");
  }

  float* output(int index, std::initializer_list<std::size_t> shape) { return data(allocate(index, TF_FLOAT, sizeof(float), shape)); }

  std::uint8_t* bytes(int index, std::initializer_list<std::size_t> shape) {
    TF_Tensor* tensor = allocate(index, TF_UINT8, 1, shape);
    return tensor == nullptr ? nullptr : static_cast<std::uint8_t*>(TF_TensorData(tensor));
  }

  void fail(const std::string& message) {
    if (failed_) return;
    TF_SetStatus(status_, TF_INVALID_ARGUMENT, message.c_str());
    report();
  }

 private:
  TF_Tensor* allocate(int index, TF_DataType type, std::size_t bytes, std::initializer_list<std::size_t> shape) {
    if (failed_) return nullptr;
    const std::vector<int64_t> dims(shape.begin(), shape.end());
    for (std::size_t side : shape) bytes *= side;
    return keep(TF_AllocateOutput(context_, index, type, dims.data(), static_cast<int>(dims.size()), bytes, status_));
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

// The attributes of an operation; those that are not there are 0, or empty.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* context) : context_(context), status_(TF_NewStatus()) {}
  ~Attributes() { TF_DeleteStatus(status_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  int64_t integer(const char* name) {
    int64_t value = 0;
    TF_OpKernelConstruction_GetAttrInt64(context_, name, &value, status_);
    return value;
  }

  std::string text(const char* name) {
    char value[kMostText] = {};
    TF_OpKernelConstruction_GetAttrString(context_, name, value, sizeof value, status_);
    return std::string(value, strnlen(value, sizeof value));
  }

 private:
  static constexpr std::size_t kMostText = 64;

  TF_OpKernelConstruction* context_;
  TF_Status* status_;
};

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

inline void unknown_shape(TF_ShapeInferenceContext* context, TF_Status* status) { TF_ShapeInferenceContextSetUnknownShape(context, status); }

}  // namespace tensorport

#endif  // TENSORPORT_OPERATION_H_
