#ifndef TENSORPORT_MAX_POOL_H_
#define TENSORPORT_MAX_POOL_H_

#include <cstddef>

namespace tensorport {

// Windows of an image and their largest numbers, channel by channel. A window may reach over the edges, beyond which there is nothing.
struct PoolSizes {
  std::size_t height;
  std::size_t width;
  std::size_t channels;
  std::size_t out_height;
  std::size_t out_width;
  std::size_t window_height;
  std::size_t window_width;
  std::size_t stride_height;
  std::size_t stride_width;
  // Of the first windows, beyond the edges.
  std::size_t pad_top;
  std::size_t pad_left;
  // The images to do: first ≤ image < end.
  std::size_t first;
  std::size_t end;
};

struct PoolForward {
  PoolSizes sizes;
  bool is_positive;  // whether negative numbers become 0
  const float* x;    // [images, height, width, channels]
  float* y;          // [images, out_height, out_width, channels]
};

struct PoolBack {
  PoolSizes sizes;
  bool is_positive;
  const float* x;
  const float* y;
  const float* dy;
  float* dx;  // all of a window's gradient goes to the first number that is the largest, none where that became 0
};

struct MaxPool {
  void (*forward)(const PoolForward&);
  void (*back)(const PoolBack&);
};

extern const MaxPool kMaxPoolBaseline;
#if defined(__x86_64__)
extern const MaxPool kMaxPoolAvx2;
extern const MaxPool kMaxPoolAvx512;
#endif

}  // namespace tensorport

#endif  // TENSORPORT_MAX_POOL_H_
