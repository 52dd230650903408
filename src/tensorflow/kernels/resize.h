#ifndef TENSORPORT_RESIZE_H_
#define TENSORPORT_RESIZE_H_

#include <cstddef>
#include <cstdint>

namespace tensorport {

// What one pixel of a side is made of: neighbours of the picture, each with its weight.
struct Taps {
  std::size_t first;
  std::size_t count;
  const float* weights;
};

struct Resize {
  const std::uint8_t* pixels;  // [rows, width, 3]
  std::size_t width;
  // The columns that any pixel is made of: first ≤ column < end.
  std::size_t first_column;
  std::size_t end_column;
  std::size_t out_height;
  std::size_t out_width;
  const Taps* down;    // out_height of them
  const Taps* across;  // out_width of them, of columns counted from first_column
  float* line;         // scratch: 3 · (end_column − first_column) numbers and kLineRest more, which are read and let fall
  std::uint8_t* out;   // [out_height, out_width, 3], rounded to the nearest of 0–255
};

constexpr std::size_t kLineRest = 1;

struct Resizer {
  void (*resize)(const Resize&);
};

extern const Resizer kResizerBaseline;
#if defined(__x86_64__)
extern const Resizer kResizerAvx2;
extern const Resizer kResizerAvx512;
#endif

}  // namespace tensorport

#endif  // TENSORPORT_RESIZE_H_
