#include "variant.h"

#include <cstdlib>
#include <string>

namespace tensorport {
namespace {

const Variant kBaseline = {kLstmBaseline, kMaxPoolBaseline, kResizerBaseline};
#if defined(__x86_64__)
const Variant kAvx2 = {kLstmAvx2, kMaxPoolAvx2, kResizerAvx2};
const Variant kAvx512 = {kLstmAvx512, kMaxPoolAvx512, kResizerAvx512};
#endif

const Variant& choose() {
#if defined(__x86_64__)
  const char* given = std::getenv("TENSORPORT_CUSTOM_OPERATIONS");
  const std::string most = given == nullptr ? "" : given;
  if (most != "baseline" && most != "avx2" && __builtin_cpu_supports("avx512f")) return kAvx512;
  if (most != "baseline" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kAvx2;
#endif
  return kBaseline;
}

}  // namespace

const Variant& best_variant() {
  static const Variant& best = choose();
  return best;
}

}  // namespace tensorport
