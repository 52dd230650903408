#include <algorithm>
#include <vector>

#include "operation.h"
#include "thread-pool.h"
#include "variant.h"

namespace tensorport {
namespace {

// Which inputs are x [steps, rows, inputs], h0 and c0 [rows, units], kernel [inputs + units, 4 · units].
struct LstmInputs {
  int x;
  int h0;
  int c0;
  int kernel;
};

LstmSizes lstm_sizes(Call& call, LstmInputs inputs = {0, 1, 2, 3}) {
  const TF_Tensor* x = call.input(inputs.x);
  const TF_Tensor* h0 = call.input(inputs.h0);
  if (call.failed()) return {};
  if (TF_NumDims(x) != 3 || TF_NumDims(h0) != 2) {
    call.fail("Input " + std::to_string(inputs.x) + " is to be [steps, rows, inputs], input " + std::to_string(inputs.h0) + " [rows, units]");
    return {};
  }
  const LstmSizes sizes = {side_of(x, 0), side_of(x, 1), side_of(x, 2), side_of(h0, 1), 0, side_of(x, 1)};
  call.expect(inputs.h0, {sizes.rows, sizes.units});
  call.expect(inputs.c0, {sizes.rows, sizes.units});
  call.expect(inputs.kernel, {sizes.inputs + sizes.units, 4 * sizes.units});
  return sizes;
}

// Rows never wait for each other: each part goes through all steps with its own.
std::size_t lstm_parts(const LstmSizes& sizes) {
  const auto& [steps, rows, inputs, units, first, end] = sizes;
  return parts_of(steps * rows * (inputs + units) * 4 * units, rows / best_variant().lstm.tile_rows);
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
  const auto& [steps, rows, inputs, units, first, end] = sizes;
  call.expect(4, {4 * units});
  const LstmForward whole = {sizes, call.floats(0), call.floats(1), call.floats(2), call.floats(3), call.floats(4),
                             call.output(0, {steps, rows, 4 * units}), true, call.output(1, {steps, rows, units}), call.output(2, {steps, rows, units})};
  if (call.failed()) return;
  const std::size_t parts = lstm_parts(sizes);
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    LstmForward own = whole;
    own.sizes = part_of(sizes, part, parts);
    best_variant().lstm.forward(own);
  });
}

// One thread goes through all rows: a server has other batches for the others.
void block_lstm(void*, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t* asked = call.integer(0);
  LstmSizes sizes = lstm_sizes(call, {1, 3, 2, 4});
  const std::size_t units = sizes.units;
  call.expect(8, {4 * units});
  float* const c = call.output(1, {sizes.steps, sizes.rows, units});
  float* const h = call.output(6, {sizes.steps, sizes.rows, units});
  for (int unused : {0, 2, 3, 4, 5}) call.output(unused, {0});
  if (call.failed()) return;
  const std::size_t all = sizes.steps * sizes.rows * units;
  sizes.steps = std::min(sizes.steps, static_cast<std::size_t>(std::max<int64_t>(0, *asked)));
  std::vector<float> gates(sizes.rows * 4 * units);
  best_variant().lstm.forward({sizes, call.floats(1), call.floats(3), call.floats(2), call.floats(4), call.floats(8), gates.data(), false, c, h});
  // Steps beyond those that were asked for are zeros.
  for (float* states : {c, h}) std::fill(states + sizes.steps * sizes.rows * units, states + all, 0.0f);
}

void lstm_back(void*, TF_OpKernelContext* context) {
  Call call(context);
  const LstmSizes sizes = lstm_sizes(call);
  const auto& [steps, rows, inputs, units, first, end] = sizes;
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
  const std::size_t width = 4 * units;
  const std::size_t kernel_size = (inputs + units) * width;
  // What the weights get from the rows of each part but the last, added up in the order of the parts.
  std::vector<float> others((parts - 1) * (kernel_size + width));
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    LstmBack own = whole;
    own.sizes = part_of(sizes, part, parts);
    if (part + 1 < parts) {
      own.d_kernel = others.data() + part * (kernel_size + width);
      own.d_bias = own.d_kernel + kernel_size;
    }
    best_variant().lstm.back(own);
  });
  for (std::size_t part = 0; part + 1 < parts; ++part) {
    const float* of_part = others.data() + part * (kernel_size + width);
    for (std::size_t index = 0; index < kernel_size; ++index) d_kernel[index] += of_part[index];
    for (std::size_t index = 0; index < width; ++index) d_bias[index] += of_part[kernel_size + index];
  }
}

void forward_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  TF_ShapeHandle* steps_and_rows = shapes.part(shapes.input(0), 0, 2);
  TF_ShapeHandle* states = shapes.joined(steps_and_rows, shapes.part(shapes.input(1), 1, 2));
  shapes.output(0, shapes.joined(steps_and_rows, shapes.input(4)));
  shapes.output(1, states);
  shapes.output(2, states);
}

void block_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  TF_ShapeHandle* states = shapes.joined(shapes.part(shapes.input(1), 0, 2), shapes.part(shapes.input(3), 1, 2));
  for (int states_of_steps : {1, 6}) shapes.output(states_of_steps, states);
}

void back_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.output(0, shapes.input(0));
  shapes.output(1, shapes.input(1));
  shapes.output(2, shapes.input(2));
  shapes.output(3, shapes.input(3));
  shapes.output(4, shapes.part(shapes.input(3), 1, 2));
}

}  // namespace

std::vector<Operation> lstm_operations() {
  return {
      // All steps of an LSTM with sigmoid gates and tanh: x [steps, rows, inputs], h0 and c0 [rows, units], kernel [inputs + units, 4 · units], bias [4 · units]. Gates
      // [steps, rows, 4 · units] are input, forget, candidate and output side by side, after their activations; c and h are [steps, rows, units].
      {"TensorportLstm", {"x: float", "h0: float", "c0: float", "kernel: float", "bias: float"}, {"gates: float", "c: float", "h: float"}, forward_shapes, lstm_forward},
      // Its gradient. d_outputs, at the outputs of all steps, counts as zeros if it has no elements.
      {"TensorportLstmGrad",
       {"x: float", "h0: float", "c0: float", "kernel: float", "gates: float", "c: float", "h: float", "d_outputs: float", "d_last_h: float", "d_last_c: float"},
       {"dx: float", "dh0: float", "dc0: float", "d_kernel: float", "d_bias: float"}, back_shapes, lstm_back},
      // BlockLSTMV2 without peepholes and clipping, of which nothing but the states cs and h of all steps is used: the other outputs are empty.
      {"TensorportBlockLstm",
       {"seq_len_max: int64", "x: float", "cs_prev: float", "h_prev: float", "w: float", "wci: float", "wcf: float", "wco: float", "b: float"},
       {"i: float", "cs: float", "f: float", "o: float", "ci: float", "co: float", "h: float"}, block_shapes, block_lstm},
  };
}

}  // namespace tensorport
