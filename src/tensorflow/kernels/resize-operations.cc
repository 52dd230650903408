#include <algorithm>
#include <cmath>

#include "operation.h"
#include "resize.h"
#include "variant.h"

namespace tensorport {
namespace {

// How much a neighbour counts, by its distance; nothing from `radius` on.
struct Kernel {
  const char* name;
  float radius;
  float (*weight)(float distance);
};

float triangle(float x) { return 1 - x; }

// Keys' cubic with a = −½.
float keys_cubic(float x) { return x < 1 ? (1.5f * x - 2.5f) * x * x + 1 : ((-0.5f * x + 2.5f) * x - 4) * x + 2; }

// Mitchell and Netravali's cubic with B = C = ⅓.
float mitchell_cubic(float x) { return x < 1 ? (7 * x / 6 - 2) * x * x + 8 / 9.0f : ((-7 * x / 18 + 2) * x - 10 / 3.0f) * x + 16 / 9.0f; }

float lanczos3(float x) {
  constexpr float kPi = 3.14159265358979f;
  if (x < 1e-3f) return 1;
  return 3 * std::sin(kPi * x) * std::sin(kPi * x / 3) / (kPi * kPi * x * x);
}

// With TensorFlow's names for them.
constexpr Kernel kKernels[] = {{"triangle", 1, triangle}, {"keyscubic", 2, keys_cubic}, {"mitchellcubic", 2, mitchell_cubic}, {"lanczos3", 3, lanczos3}};

void* find_kernel(TF_OpKernelConstruction* context) {
  const std::string name = Attributes(context).text("kernel_type");
  const Kernel* const end = std::end(kKernels);
  const Kernel* const found = std::find_if(std::begin(kKernels), end, [&](const Kernel& kernel) { return name == kernel.name; });
  return found == end ? nullptr : const_cast<Kernel*>(found);
}

// All pixels of one side, which keeps the weights that they point to.
class Side {
 public:
  // As ScaleAndTranslate with antialias has them (tensorflow/core/kernels/image/scale_and_translate_op.cc): where the picture shrinks, the kernel is as much wider.
  Side(const Kernel& kernel, std::size_t size, std::size_t out, float scale, float translation) {
    const float step = 1 / scale;
    const float reach = std::max(step, 1.0f);
    const float last = static_cast<float>(size) - 1;
    taps_.reserve(out);
    weights_.reserve(out * std::min(size, static_cast<std::size_t>(2 * std::ceil(kernel.radius * reach) + 1))); // what the taps point to is not to move
    for (std::size_t index = 0; index < out; ++index) {
      const float centre = (static_cast<float>(index) + 0.5f - translation) * step;
      const float first = std::min(std::max(std::ceil(centre - kernel.radius * reach - 0.5f), 0.0f), last);
      const float end = std::min(std::max(std::floor(centre + kernel.radius * reach - 0.5f), first), last) + 1;
      add(kernel, static_cast<std::size_t>(first), static_cast<std::size_t>(end), centre, reach);
    }
  }

  const std::vector<Taps>& taps() const { return taps_; }

  // Counts from the first neighbour of all; @returns which one that was.
  std::size_t move_to_first() {
    std::size_t first = taps_.front().first;
    for (const Taps& taps : taps_) first = std::min(first, taps.first);
    for (Taps& taps : taps_) taps.first -= first;
    return first;
  }

  std::size_t end() const {
    std::size_t end = 0;
    for (const Taps& taps : taps_) end = std::max(end, taps.first + taps.count);
    return end;
  }

 private:
  void add(const Kernel& kernel, std::size_t first, std::size_t end, float centre, float reach) {
    const std::size_t begin = weights_.size();
    float total = 0;
    for (std::size_t index = first; index < end; ++index) {
      const float distance = std::fabs(static_cast<float>(index) + 0.5f - centre) / reach;
      weights_.push_back(distance < kernel.radius ? kernel.weight(distance) : 0);
      total += weights_.back();
    }
    if (total != 0) for (std::size_t index = begin; index < weights_.size(); ++index) weights_[index] /= total;
    taps_.push_back({first, end - first, weights_.data() + begin});
  }

  std::vector<Taps> taps_;
  std::vector<float> weights_;
};

// Height, width, scale down, scale across, translation down, translation across.
constexpr std::size_t kMeasures = 6;
constexpr float kMostPixels = 65'536;

void resize(void* kept, TF_OpKernelContext* context) {
  Call call(context);
  if (kept == nullptr) return call.fail("kernel_type is to be triangle, keyscubic, mitchellcubic or lanczos3");
  const TF_Tensor* picture = call.input(0);
  call.expect(1, {kMeasures});
  const float* measures = call.floats(1);
  if (call.failed()) return;
  if (TF_NumDims(picture) != 3 || side_of(picture, 0) == 0 || side_of(picture, 1) == 0 || side_of(picture, 2) != 3) return call.fail("Input 0 is to be [height, width, 3], with at least a pixel");
  for (std::size_t index = 0; index < 4; ++index) {
    if (!(measures[index] > 0 && measures[index] < kMostPixels)) return call.fail("Sides and scales are to be more than 0 and less than 65536");
  }
  const auto height = static_cast<std::size_t>(measures[0]);
  const auto width = static_cast<std::size_t>(measures[1]);
  std::uint8_t* const out = call.bytes(0, {1, height, width, 3});
  if (call.failed() || height * width == 0) return;
  const Kernel& kernel = *static_cast<const Kernel*>(kept);
  const Side down(kernel, side_of(picture, 0), height, measures[2], measures[4]);
  Side across(kernel, side_of(picture, 1), width, measures[3], measures[5]);
  const std::size_t first_column = across.move_to_first();
  const std::size_t end_column = first_column + across.end();
  std::vector<float> line(3 * (end_column - first_column) + kLineRest);
  best_variant().resizer.resize({static_cast<const std::uint8_t*>(TF_TensorData(picture)), side_of(picture, 1), first_column, end_column, height, width, down.taps().data(),
                                 across.taps().data(), line.data(), out});
}

}  // namespace

std::vector<Operation> resize_operations() {
  return {
      // ScaleAndTranslate of pixels [height, width, 3] by measures [height, width, scale down, scale across, translation down, translation across] of the result, with antialias, and its
      // numbers rounded and held to 0–255: [1, height, width, 3]. What lies outside the picture is as the pixels at its edge.
      {"TensorportResize", {"pixels: uint8", "measures: float"}, {"resized: uint8"}, unknown_shape, resize, {"kernel_type: string"}, find_kernel},
  };
}

}  // namespace tensorport
