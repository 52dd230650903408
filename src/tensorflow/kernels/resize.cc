#include "resize.h"

#include "vector.h"

namespace tensorport {
namespace {

typedef float Pixel __attribute__((vector_size(4 * sizeof(float)), aligned(sizeof(float)), may_alias));
typedef std::int32_t PixelNumbers __attribute__((vector_size(4 * sizeof(std::int32_t))));

// Numbers of a row that are summed up at once, in registers. Compilers turn bytes into floats well in plain loops only.
constexpr std::size_t kTogether = 4 * LANES;

// A row of the result's height and the picture's width: `count` numbers from `pixels` on, which lie `stride` apart from row to row.
inline void mix_rows(const std::uint8_t* pixels, std::size_t stride, const Taps& rows, std::size_t count, float* line) {
  const std::uint8_t* const first = pixels + rows.first * stride;
  std::size_t index = 0;
  for (; index + kTogether <= count; index += kTogether) {
    float sums[kTogether] = {};
    const std::uint8_t* at = first + index;
    for (std::size_t row = 0; row < rows.count; ++row, at += stride) {
      const float weight = rows.weights[row];
      for (std::size_t part = 0; part < kTogether; ++part) sums[part] += weight * static_cast<float>(at[part]);
    }
    std::memcpy(line + index, sums, sizeof sums);
  }
  for (; index < count; ++index) {
    float sum = 0;
    for (std::size_t row = 0; row < rows.count; ++row) sum += rows.weights[row] * static_cast<float>(first[row * stride + index]);
    line[index] = sum;
  }
}

// Red, green and blue go together; the fourth number of each load is the next pixel's and is let fall.
inline void mix_columns(const float* line, const Taps* across, std::size_t count, std::uint8_t* out) {
  for (std::size_t column = 0; column < count; ++column) {
    const Taps& taps = across[column];
    const float* at = line + 3 * taps.first;
    Pixel sum = {};
    Pixel other = {}; // an addition need not wait for the one before
    std::size_t tap = 0;
    for (; tap + 2 <= taps.count; tap += 2) {
      sum += taps.weights[tap] * load<Pixel>(at + 3 * tap);
      other += taps.weights[tap + 1] * load<Pixel>(at + 3 * tap + 3);
    }
    if (tap < taps.count) sum += taps.weights[tap] * load<Pixel>(at + 3 * tap);
    sum += other;
    sum = sum < 0.0f ? Pixel{} : sum;
    sum = sum > 255.0f ? Pixel{} + 255.0f : sum;
    const PixelNumbers rounded = __builtin_convertvector(sum + 0.5f, PixelNumbers);
    for (std::size_t channel = 0; channel < 3; ++channel) out[3 * column + channel] = static_cast<std::uint8_t>(rounded[channel]);
  }
}

void resize(const Resize& given) {
  const std::size_t count = 3 * (given.end_column - given.first_column);
  for (std::size_t row = 0; row < given.out_height; ++row) {
    mix_rows(given.pixels + 3 * given.first_column, 3 * given.width, given.down[row], count, given.line);
    mix_columns(given.line, given.across, given.out_width, given.out + 3 * row * given.out_width);
  }
}

}  // namespace

const Resizer NAME(kResizer) = {resize};

}  // namespace tensorport
