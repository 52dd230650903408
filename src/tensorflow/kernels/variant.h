#ifndef TENSORPORT_VARIANT_H_
#define TENSORPORT_VARIANT_H_

#include "lstm.h"
#include "max-pool.h"
#include "resize.h"

namespace tensorport {

// What was compiled for one set of instructions.
struct Variant {
  const Lstm& lstm;
  const MaxPool& max_pool;
  const Resizer& resizer;
};

// The best that the processor has, and TENSORPORT_CUSTOM_OPERATIONS (`avx2`, `baseline`) allows: the same for as long as the process lives.
const Variant& best_variant();

}  // namespace tensorport

#endif  // TENSORPORT_VARIANT_H_
