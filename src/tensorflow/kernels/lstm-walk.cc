// Compiled once for each set of instructions, with WALKER as the name and LANES as the floats of a register.
#include "lstm-walk.h"

#include <cstring>

namespace tensorport {
namespace {

typedef float Vector __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

// A tile of a product is held in registers: so many rows of two registers each.
constexpr std::size_t kTileColumns = 2 * LANES;
constexpr std::size_t kTileRows = TILE_ROWS;

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

// Eigen's rational approximation (Eigen/src/Core/MathFunctionsImpl.h): within a few units of the last place.
template <typename V>
inline V hyperbolic_tangent(V x) {
  const V limit = V{} + 7.90531110763549805f;
  x = x > limit ? limit : x;
  x = x < -limit ? -limit : x;
  const V x2 = x * x;
  V p = x2 * -2.76076847742355e-16f + 2.00018790482477e-13f;
  p = x2 * p + -8.60467152213735e-11f;
  p = x2 * p + 5.12229709037114e-08f;
  p = x2 * p + 1.48572235717979e-05f;
  p = x2 * p + 6.37261928875436e-04f;
  p = x2 * p + 4.89352455891786e-03f;
  V q = x2 * 1.19825839466702e-06f + 1.18534705686654e-04f;
  q = x2 * q + 2.26843463243900e-03f;
  q = x2 * q + 4.89352518554385e-03f;
  return x * p / q;
}

template <typename V>
inline V sigmoid(V x) {
  return 0.5f * hyperbolic_tangent(0.5f * x) + 0.5f;
}

// Memory of this file's own. Nothing of the standard library's templates may be used here: the linker keeps one copy of such a function for all files, and
// it may be the one with instructions that the processor lacks.
class Floats {
 public:
  explicit Floats(std::size_t count) : values_(new float[count]) {}
  ~Floats() { delete[] values_; }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  float* data() { return values_; }
  const float* data() const { return values_; }

 private:
  float* values_;
};

// A matrix of weights, [depth, columns], in strips of a tile's columns: what a product reads one after another lies so.
class Strips {
 public:
  // element(k, column) gives the weight.
  template <typename Element>
  Strips(std::size_t depth, std::size_t columns, Element element)
      : depth_(depth), count_((columns + kTileColumns - 1) / kTileColumns), values_(count_ * depth * kTileColumns) {
    float* at = values_.data();
    for (std::size_t strip = 0; strip < count_; ++strip) {
      for (std::size_t k = 0; k < depth; ++k) {
        for (std::size_t lane = 0; lane < kTileColumns; ++lane) {
          const std::size_t column = strip * kTileColumns + lane;
          *at++ = column < columns ? element(k, column) : 0.0f;
        }
      }
    }
  }

  // Columns of a product, those of the last strip that are filled up with zeros too.
  std::size_t width() const { return count_ * kTileColumns; }

  // into [rows, width()] = from [rows, depth] · weights, where a row of `from` is `stride` floats after the one before.
  void multiply(const float* from, std::size_t stride, std::size_t rows, float* into) const {
    for (std::size_t strip = 0; strip < count_; ++strip) {
      const float* weights = values_.data() + strip * depth_ * kTileColumns;
      std::size_t row = 0;
      for (; row + kTileRows <= rows; row += kTileRows) tile<kTileRows>(from + row * stride, stride, weights, into + row * width() + strip * kTileColumns);
      rest<kTileRows - 1>(rows - row, from + row * stride, stride, weights, into + row * width() + strip * kTileColumns);
    }
  }

 private:
  template <std::size_t Rows>
  void tile(const float* from, std::size_t stride, const float* weights, float* into) const {
    Vector sums[Rows][2] = {};
    for (std::size_t k = 0; k < depth_; ++k) {
      const Vector low = load<Vector>(weights + k * kTileColumns);
      const Vector high = load<Vector>(weights + k * kTileColumns + LANES);
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        const float value = from[row * stride + k];
        sums[row][0] += value * low;
        sums[row][1] += value * high;
      }
    }
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      store(into + row * width(), sums[row][0]);
      store(into + row * width() + LANES, sums[row][1]);
    }
  }

  // The rows after the last full tile, fewer than one holds.
  template <std::size_t Rows>
  void rest(std::size_t rows, const float* from, std::size_t stride, const float* weights, float* into) const {
    if constexpr (Rows > 0) {
      if (rows == Rows) tile<Rows>(from, stride, weights, into);
      else rest<Rows - 1>(rows, from, stride, weights, into);
    }
  }

  std::size_t depth_;
  std::size_t count_;
  Floats values_;
};

// For units that lie side by side: as many as V holds.
template <typename V>
inline void cell(const float* sums, const float* state_sums, const float* bias, std::size_t units, const float* c_before, float* gates, float* c, float* h) {
  const auto sum = [=](std::size_t gate) { return load<V>(sums + gate * units) + load<V>(state_sums + gate * units) + load<V>(bias + gate * units); };
  const V input = sigmoid(sum(0));
  const V forget = sigmoid(sum(1));
  const V candidate = hyperbolic_tangent(sum(2));
  const V output = sigmoid(sum(3));
  const V state = forget * load<V>(c_before) + input * candidate;
  store(gates, input);
  store(gates + units, forget);
  store(gates + 2 * units, candidate);
  store(gates + 3 * units, output);
  store(c, state);
  store(h, output * hyperbolic_tangent(state));
}

void forward(const WalkForward& given) {
  const auto& [steps, rows, units, first, end] = given.walk;
  const std::size_t gates_width = 4 * units;
  const float* kernel = given.kernel;
  const Strips weights(units, gates_width, [=](std::size_t k, std::size_t column) { return kernel[k * gates_width + column]; });
  Floats state_sums((end - first) * weights.width());
  for (std::size_t step = 0; step < steps; ++step) {
    const float* h_before = step == 0 ? given.h0 : given.h + (step - 1) * rows * units;
    const float* c_before = step == 0 ? given.c0 : given.c + (step - 1) * rows * units;
    weights.multiply(h_before + first * units, units, end - first, state_sums.data());
    for (std::size_t row = first; row < end; ++row) {
      const std::size_t at = step * rows + row;
      const float* sums = given.sums + at * gates_width;
      const float* of_state = state_sums.data() + (row - first) * weights.width();
      float* gates = given.gates + at * gates_width;
      float* c = given.c + at * units;
      float* h = given.h + at * units;
      std::size_t unit = 0;
      for (; unit + LANES <= units; unit += LANES) cell<Vector>(sums + unit, of_state + unit, given.bias + unit, units, c_before + row * units + unit, gates + unit, c + unit, h + unit);
      for (; unit < units; ++unit) cell<float>(sums + unit, of_state + unit, given.bias + unit, units, c_before + row * units + unit, gates + unit, c + unit, h + unit);
    }
  }
}

// dh: all that comes in at a step's output; dc: at its cell from the step after, and then at the cell of the step before.
template <typename V>
inline void cell_back(const float* gates, std::size_t units, const float* c, const float* c_before, V dh, float* dc, float* d_sums) {
  const V input = load<V>(gates);
  const V forget = load<V>(gates + units);
  const V candidate = load<V>(gates + 2 * units);
  const V output = load<V>(gates + 3 * units);
  const V squashed = hyperbolic_tangent(load<V>(c));
  const V d_state = load<V>(dc) + dh * output * (1.0f - squashed * squashed);
  store(d_sums, d_state * candidate * input * (1.0f - input));
  store(d_sums + units, d_state * load<V>(c_before) * forget * (1.0f - forget));
  store(d_sums + 2 * units, d_state * input * (1.0f - candidate * candidate));
  store(d_sums + 3 * units, dh * squashed * output * (1.0f - output));
  store(dc, d_state * forget);
}

template <typename V>
inline V incoming(const float* dh, const float* d_outputs) {
  return d_outputs == nullptr ? load<V>(dh) : load<V>(dh) + load<V>(d_outputs);
}

void back(const WalkBack& given) {
  const auto& [steps, rows, units, first, end] = given.walk;
  const std::size_t gates_width = 4 * units;
  const float* kernel = given.kernel;
  const Strips transposed(gates_width, units, [=](std::size_t k, std::size_t column) { return kernel[column * gates_width + k]; });
  const std::size_t width = transposed.width();
  Floats dh((end - first) * width);
  Floats dc((end - first) * units);
  std::memcpy(dc.data(), given.d_last_c + first * units, (end - first) * units * sizeof(float));
  for (std::size_t row = first; row < end; ++row) std::memcpy(dh.data() + (row - first) * width, given.d_last_h + row * units, units * sizeof(float));
  for (std::size_t step = steps; step-- > 0;) {
    const float* c_before = step == 0 ? given.c0 : given.c + (step - 1) * rows * units;
    for (std::size_t row = first; row < end; ++row) {
      const std::size_t at = step * rows + row;
      const float* gates = given.gates + at * gates_width;
      const float* c = given.c + at * units;
      const float* before = c_before + row * units;
      const float* d_output = given.d_outputs == nullptr ? nullptr : given.d_outputs + at * units;
      float* d_sums = given.d_sums + at * gates_width;
      float* dh_row = dh.data() + (row - first) * width;
      float* dc_row = dc.data() + (row - first) * units;
      const auto each = [&](std::size_t unit, auto zero) {
        using V = decltype(zero);
        cell_back<V>(gates + unit, units, c + unit, before + unit, incoming<V>(dh_row + unit, d_output == nullptr ? nullptr : d_output + unit), dc_row + unit, d_sums + unit);
      };
      std::size_t unit = 0;
      for (; unit + LANES <= units; unit += LANES) each(unit, Vector{});
      for (; unit < units; ++unit) each(unit, 0.0f);
    }
    transposed.multiply(given.d_sums + (step * rows + first) * gates_width, gates_width, end - first, dh.data());
  }
  for (std::size_t row = first; row < end; ++row) std::memcpy(given.d_h0 + row * units, dh.data() + (row - first) * width, units * sizeof(float));
  std::memcpy(given.d_c0 + first * units, dc.data(), (end - first) * units * sizeof(float));
}

}  // namespace

const Walker WALKER = {forward, back};

}  // namespace tensorport
