#include "operation.h"
#include "thread-pool.h"
#include "variant.h"

namespace tensorport {
namespace {

// As the attributes say; sides of images are not known yet.
struct Pooling {
  PoolSizes sizes;
  bool is_padded;
  bool is_positive;
};

void* read_pooling(TF_OpKernelConstruction* context) {
  Attributes attributes(context);
  const auto size = [&](const char* name) { return static_cast<std::size_t>(attributes.integer(name)); };
  PoolSizes sizes = {};
  sizes.window_height = size("window_height");
  sizes.window_width = size("window_width");
  sizes.stride_height = size("stride_height");
  sizes.stride_width = size("stride_width");
  return new Pooling{sizes, size("is_padded") != 0, size("is_positive") != 0};
}

void forget_pooling(void* pooling) { delete static_cast<Pooling*>(pooling); }

struct Slide {
  std::size_t out;
  std::size_t pad;
};

// Along one side, as TensorFlow has it: SAME where it is padded, else VALID.
Slide slide_of(std::size_t size, std::size_t window, std::size_t stride, bool is_padded) {
  if (!is_padded) return {size < window ? 0 : (size - window) / stride + 1, 0};
  const std::size_t out = (size + stride - 1) / stride;
  const std::size_t covered = out == 0 ? 0 : (out - 1) * stride + window;
  return {out, covered > size ? (covered - size) / 2 : 0};
}

// Of x [images, height, width, channels], the first input.
PoolSizes pool_sizes(const Pooling& pooling, Call& call) {
  PoolSizes sizes = pooling.sizes;
  const TF_Tensor* x = call.input(0);
  if (call.failed()) return sizes;
  if (TF_NumDims(x) != 4 || sizes.stride_height == 0 || sizes.stride_width == 0 || sizes.window_height == 0 || sizes.window_width == 0) {
    call.fail("Input 0 is to be [images, height, width, channels], windows and strides are to be at least 1");
    return sizes;
  }
  sizes.end = side_of(x, 0);
  sizes.height = side_of(x, 1);
  sizes.width = side_of(x, 2);
  sizes.channels = side_of(x, 3);
  const Slide down = slide_of(sizes.height, sizes.window_height, sizes.stride_height, pooling.is_padded);
  const Slide across = slide_of(sizes.width, sizes.window_width, sizes.stride_width, pooling.is_padded);
  sizes.out_height = down.out;
  sizes.pad_top = down.pad;
  sizes.out_width = across.out;
  sizes.pad_left = across.pad;
  return sizes;
}

template <typename Given>
void in_parts(void (*pool)(const Given&), const Given& whole) {
  const std::size_t images = whole.sizes.end;
  const std::size_t parts = parts_of(images * whole.sizes.height * whole.sizes.width * whole.sizes.channels * 4, images);
  ThreadPool::shared().run(parts, [&](std::size_t part) {
    Given own = whole;
    own.sizes.first = images * part / parts;
    own.sizes.end = images * (part + 1) / parts;
    pool(own);
  });
}

void pool_forward(void* kept, TF_OpKernelContext* context) {
  const Pooling& pooling = *static_cast<const Pooling*>(kept);
  Call call(context);
  const PoolSizes sizes = pool_sizes(pooling, call);
  const PoolForward given = {sizes, pooling.is_positive, call.floats(0), call.output(0, {sizes.end, sizes.out_height, sizes.out_width, sizes.channels})};
  if (!call.failed()) in_parts(best_variant().max_pool.forward, given);
}

void pool_back(void* kept, TF_OpKernelContext* context) {
  const Pooling& pooling = *static_cast<const Pooling*>(kept);
  Call call(context);
  const PoolSizes sizes = pool_sizes(pooling, call);
  for (int index : {1, 2}) call.expect(index, {sizes.end, sizes.out_height, sizes.out_width, sizes.channels});
  const PoolBack given = {sizes, pooling.is_positive, call.floats(0), call.floats(1), call.floats(2),
                          call.output(0, {sizes.end, sizes.height, sizes.width, sizes.channels})};
  if (!call.failed()) in_parts(best_variant().max_pool.back, given);
}

void back_shapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  Shapes shapes(context, status);
  shapes.output(0, shapes.input(0));
}

}  // namespace

std::vector<Operation> max_pool_operations() {
  const std::vector<const char*> attributes = {"window_height: int", "window_width: int", "stride_height: int", "stride_width: int", "is_padded: int", "is_positive: int"};
  return {
      // MaxPool of x [images, height, width, channels], with Relu after it where `is_positive` is 1; SAME where `is_padded` is 1, else VALID.
      {"TensorportMaxPool", {"x: float"}, {"y: float"}, unknown_shape, pool_forward, attributes, read_pooling, forget_pooling},
      {"TensorportMaxPoolGrad", {"x: float", "y: float", "dy: float"}, {"dx: float"}, back_shapes, pool_back, attributes, read_pooling, forget_pooling},
  };
}

}  // namespace tensorport
