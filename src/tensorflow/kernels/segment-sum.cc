#include <cstdint>
#include <cstring>

#include "operation.h"
#include "thread-pool.h"

namespace tensorport {
namespace {

// Each part has its own segments, and adds to them in the order of the rows.
void segment_sum(void*, TF_OpKernelContext* context) {
  Call call(context);
  const TF_Tensor* data = call.input(0);
  const TF_Tensor* numbers = call.input(1);
  const TF_Tensor* segments_given = call.input(2);
  if (call.failed()) return;
  const std::size_t rows = static_cast<std::size_t>(TF_TensorElementCount(numbers));
  if (TF_NumDims(data) != 2 || side_of(data, 0) != rows || TF_TensorElementCount(segments_given) != 1) {
    call.fail("Input 0 is to be [rows, columns], input 1 as many numbers as there are rows, input 2 a number");
    return;
  }
  const int32_t segments = *static_cast<const int32_t*>(TF_TensorData(segments_given));
  if (segments < 0) {
    call.fail("Input 2 is less than 0");
    return;
  }
  const std::size_t columns = side_of(data, 1);
  const float* from = call.floats(0);
  const int32_t* segment_of = static_cast<const int32_t*>(TF_TensorData(numbers));
  float* sums = call.output(0, {static_cast<std::size_t>(segments), columns});
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

}  // namespace

std::vector<Operation> segment_sum_operations() {
  // UnsortedSegmentSum of rows: data [rows, columns], to [num_segments, columns]. What belongs to no segment is left out.
  return {{"TensorportSegmentSum", {"data: float", "segment_ids: int32", "num_segments: int32"}, {"sums: float"}, unknown_shape, segment_sum}};
}

}  // namespace tensorport
