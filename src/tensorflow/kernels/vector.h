#ifndef TENSORPORT_VECTOR_H_
#define TENSORPORT_VECTOR_H_

// For files that are compiled once for each set of instructions, with VARIANT as the end of the names that they give, LANES as the floats of a register and TILE_ROWS
// as the rows of a product that registers hold. Nothing of the standard library's templates may be used in them: the linker keeps one copy of such a function for all
// files, and it may be the one with instructions that the processor lacks.
#include <cstddef>
#include <cstring>

#define TENSORPORT_JOIN(name, variant) name##variant
#define TENSORPORT_NAME(name, variant) TENSORPORT_JOIN(name, variant)
// Of this file's variant: kLstmAvx2.
#define NAME(name) TENSORPORT_NAME(name, VARIANT)

namespace tensorport {
namespace {

typedef float Vector __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

// V is Vector, or float for what is left over of a row.
template <typename V>
inline V load(const float* at) {
  V value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename V>
inline void store(float* at, V value) {
  std::memcpy(at, &value, sizeof value);
}

// Calls each(index, zero) for as many numbers at a time as the type of `zero` holds.
template <typename Each>
inline void for_each_vector(std::size_t count, const Each& each) {
  std::size_t index = 0;
  for (; index + LANES <= count; index += LANES) each(index, Vector{});
  for (; index < count; ++index) each(index, 0.0f);
}

}  // namespace
}  // namespace tensorport

#endif  // TENSORPORT_VECTOR_H_
