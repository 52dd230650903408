#include "max-pool.h"

#include "vector.h"

namespace tensorport {
namespace {

// A range of rows or columns that a window has within an image.
struct Span {
  std::size_t first;
  std::size_t end;
};

inline Span span_of(std::size_t index, std::size_t stride, std::size_t window, std::size_t pad, std::size_t size) {
  const std::size_t start = index * stride;
  const std::size_t end = start + window - pad;
  return {start < pad ? 0 : start - pad, end < size ? end : size};
}

// Calls each(rows, columns, window's number in the image).
template <typename Each>
inline void for_each_window(const PoolSizes& sizes, const Each& each) {
  for (std::size_t row = 0; row < sizes.out_height; ++row) {
    const Span rows = span_of(row, sizes.stride_height, sizes.window_height, sizes.pad_top, sizes.height);
    for (std::size_t column = 0; column < sizes.out_width; ++column) {
      each(rows, span_of(column, sizes.stride_width, sizes.window_width, sizes.pad_left, sizes.width), row * sizes.out_width + column);
    }
  }
}

// What is not a number counts as the largest.
template <typename V>
inline V larger(V a, V b) {
  a = b > a ? b : a;
  return b != b ? b : a;
}

void forward(const PoolForward& given) {
  const PoolSizes& sizes = given.sizes;
  const std::size_t channels = sizes.channels;
  for (std::size_t image = sizes.first; image < sizes.end; ++image) {
    const float* x = given.x + image * sizes.height * sizes.width * channels;
    float* y = given.y + image * sizes.out_height * sizes.out_width * channels;
    for_each_window(sizes, [&](Span rows, Span columns, std::size_t window) {
      for_each_vector(channels, [&](std::size_t channel, auto zero) {
        using V = decltype(zero);
        V most = load<V>(x + (rows.first * sizes.width + columns.first) * channels + channel);
        for (std::size_t row = rows.first; row < rows.end; ++row) {
          for (std::size_t column = columns.first; column < columns.end; ++column) most = larger(most, load<V>(x + (row * sizes.width + column) * channels + channel));
        }
        if (given.is_positive) most = most < zero ? zero : most;
        store(y + window * channels + channel, most);
      });
    });
  }
}

void back(const PoolBack& given) {
  const PoolSizes& sizes = given.sizes;
  const std::size_t channels = sizes.channels;
  for (std::size_t image = sizes.first; image < sizes.end; ++image) {
    const std::size_t in_size = sizes.height * sizes.width * channels;
    const std::size_t out_size = sizes.out_height * sizes.out_width * channels;
    const float* x = given.x + image * in_size;
    const float* y = given.y + image * out_size;
    const float* dy = given.dy + image * out_size;
    float* dx = given.dx + image * in_size;
    std::memset(dx, 0, in_size * sizeof(float));
    for_each_window(sizes, [&](Span rows, Span columns, std::size_t window) {
      for_each_vector(channels, [&](std::size_t channel, auto zero) {
        using V = decltype(zero);
        const V most = load<V>(y + window * channels + channel);
        V left = load<V>(dy + window * channels + channel);
        if (given.is_positive) left = most > zero ? left : zero;
        for (std::size_t row = rows.first; row < rows.end; ++row) {
          for (std::size_t column = columns.first; column < columns.end; ++column) {
            const std::size_t at = (row * sizes.width + column) * channels + channel;
            const V value = load<V>(x + at);
            store(dx + at, load<V>(dx + at) + (value == most ? left : zero));
            left = value == most ? zero : left;
          }
        }
      });
    });
  }
}

}  // namespace

const MaxPool NAME(kMaxPool) = {forward, back};

}  // namespace tensorport
