#include "lstm.h"

#include <cstdint>

#include "vector.h"

namespace tensorport {
namespace {

constexpr std::size_t kTileRows = TILE_ROWS;
// Of a strip of a product; the last strip may have one.
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kStrip = kTileVectors * LANES;
// Rows that a gradient of weights is summed over at a time: it is read and written once for them.
constexpr std::size_t kSummedRows = 128;
// Most steps that are so gathered.
constexpr std::size_t kMostGathered = 16;

template <typename V>
struct Quotient {
  V above;
  V below;

  V value() const { return above / below; }
};

// Eigen's rational approximation (Eigen/src/Core/MathFunctionsImpl.h): within a few units of the last place. Below it is from 0.0048 to 1.
template <typename V>
inline Quotient<V> hyperbolic_tangent(V x) {
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
  return {x * p, q};
}

// (tanh(x / 2) + 1) / 2
template <typename V>
inline Quotient<V> sigmoid(V x) {
  const Quotient<V> half = hyperbolic_tangent(0.5f * x);
  return {0.5f * (half.above + half.below), half.below};
}

// Columns up to full registers.
constexpr std::size_t padded(std::size_t columns) { return (columns + LANES - 1) / LANES * LANES; }

// Memory that is all zeros at first.
class Floats {
 public:
  explicit Floats(std::size_t count) : memory_(new float[count + kLine]()) {
    const std::size_t over = reinterpret_cast<std::uintptr_t>(memory_) / sizeof(float) % kLine;
    values_ = memory_ + (over == 0 ? 0 : kLine - over);
  }
  ~Floats() { delete[] memory_; }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  float* data() { return values_; }
  const float* data() const { return values_; }

 private:
  // Of the cache: what begins with one is read and written faster.
  static constexpr std::size_t kLine = 64 / sizeof(float);

  float* memory_;
  float* values_;
};

// [rows, columns], each row so many floats after the one before.
struct Matrix {
  const float* at;
  std::size_t stride;
};

struct Target {
  float* at;
  std::size_t stride;
};

// A matrix of weights, [depth, columns], in strips of a tile's columns: what a product reads one after another lies so.
class Weights {
 public:
  // The given one, or it transposed.
  Weights(std::size_t depth, std::size_t columns, Matrix given, bool is_transposed) : depth_(depth), columns_(padded(columns)), values_(columns_ * depth) {
    float* to = values_.data();
    for (std::size_t first = 0; first < columns_; first += kStrip) {
      const std::size_t end = first + kStrip < columns_ ? first + kStrip : columns_;
      for (std::size_t k = 0; k < depth; ++k) {
        for (std::size_t column = first; column < end; ++column, ++to) {
          if (column < columns) *to = is_transposed ? given.at[column * given.stride + k] : given.at[k * given.stride + column];
        }
      }
    }
  }

  // Columns of a product: those that were given, and zeros up to full registers.
  std::size_t columns() const { return columns_; }

  // into [rows, columns()] = from [rows, depth] · weights, or that added to it.
  template <bool Adds>
  void multiply(Matrix from, std::size_t rows, Target into) const {
    std::size_t first = 0;
    for (; first + kStrip <= columns_; first += kStrip) strip<kTileVectors, Adds>(from, rows, values_.data() + first * depth_, {into.at + first, into.stride});
    if (first < columns_) strip<1, Adds>(from, rows, values_.data() + first * depth_, {into.at + first, into.stride});
  }

 private:
  template <std::size_t Vectors, bool Adds>
  void strip(Matrix from, std::size_t rows, const float* weights, Target into) const {
    for (; rows >= kTileRows; rows -= kTileRows) {
      tile<kTileRows, Vectors, Adds>(from, weights, into);
      from.at += kTileRows * from.stride;
      into.at += kTileRows * into.stride;
    }
    rest<kTileRows - 1, Vectors, Adds>(rows, from, weights, into);
  }

  template <std::size_t Rows, std::size_t Vectors, bool Adds>
  void rest(std::size_t rows, Matrix from, const float* weights, Target into) const {
    if constexpr (Rows > 0) {
      if (rows == Rows) tile<Rows, Vectors, Adds>(from, weights, into);
      else rest<Rows - 1, Vectors, Adds>(rows, from, weights, into);
    }
  }

  template <std::size_t Rows, std::size_t Vectors, bool Adds>
  void tile(Matrix from, const float* weights, Target into) const {
    Vector sums[Rows][Vectors] = {};
    for (std::size_t k = 0; k < depth_; ++k, weights += Vectors * LANES) {
      Vector columns[Vectors];
      for (std::size_t v = 0; v < Vectors; ++v) columns[v] = load<Vector>(weights + v * LANES);
#pragma GCC unroll 16
      for (std::size_t row = 0; row < Rows; ++row) {
        for (std::size_t v = 0; v < Vectors; ++v) sums[row][v] += from.at[row * from.stride + k] * columns[v];
      }
    }
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      for (std::size_t v = 0; v < Vectors; ++v) {
        float* to = into.at + row * into.stride + v * LANES;
        store(to, Adds ? load<Vector>(to) + sums[row][v] : sums[row][v]);
      }
    }
  }

  std::size_t depth_;
  std::size_t columns_;
  Floats values_;
};

// Rows of some steps: those of one step lie after each other.
struct Gathered {
  std::size_t steps;
  std::size_t rows;
};

// into [of_columns, sums_columns] += Σ over steps and rows of (of [of_columns])ᵀ · (sums [sums_columns]), where sums_columns fills registers.
class OuterProducts {
 public:
  OuterProducts(Gathered gathered, std::size_t of_stride, std::size_t sums_stride) : gathered_(gathered), of_stride_(of_stride), sums_stride_(sums_stride) {}

  void add(const float* const* of, std::size_t of_columns, const float* const* sums, std::size_t sums_columns, Target into) const {
    std::size_t column = 0;
    for (; column + kStrip <= sums_columns; column += kStrip) strip<kTileVectors>(of, of_columns, sums, column, {into.at + column, into.stride});
    if (column < sums_columns) strip<1>(of, of_columns, sums, column, {into.at + column, into.stride});
  }

 private:
  template <std::size_t Vectors>
  void strip(const float* const* of, std::size_t of_columns, const float* const* sums, std::size_t column, Target into) const {
    std::size_t first = 0;
    for (; first + kTileRows <= of_columns; first += kTileRows) tile<kTileRows, Vectors>(of, first, sums, column, {into.at + first * into.stride, into.stride});
    rest<kTileRows - 1, Vectors>(of_columns - first, of, first, sums, column, {into.at + first * into.stride, into.stride});
  }

  template <std::size_t Rows, std::size_t Vectors>
  void rest(std::size_t rows, const float* const* of, std::size_t first, const float* const* sums, std::size_t column, Target into) const {
    if constexpr (Rows > 0) {
      if (rows == Rows) tile<Rows, Vectors>(of, first, sums, column, into);
      else rest<Rows - 1, Vectors>(rows, of, first, sums, column, into);
    }
  }

  template <std::size_t Rows, std::size_t Vectors>
  void tile(const float* const* of, std::size_t first, const float* const* sums, std::size_t column, Target into) const {
    Vector totals[Rows][Vectors];
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      for (std::size_t v = 0; v < Vectors; ++v) totals[row][v] = load<Vector>(into.at + row * into.stride + v * LANES);
    }
    for (std::size_t step = 0; step < gathered_.steps; ++step) {
      const float* left = of[step] + first;
      const float* right = sums[step] + column;
      for (std::size_t k = 0; k < gathered_.rows; ++k, left += of_stride_, right += sums_stride_) {
        Vector columns[Vectors];
        for (std::size_t v = 0; v < Vectors; ++v) columns[v] = load<Vector>(right + v * LANES);
#pragma GCC unroll 16
        for (std::size_t row = 0; row < Rows; ++row) {
          for (std::size_t v = 0; v < Vectors; ++v) totals[row][v] += left[row] * columns[v];
        }
      }
    }
#pragma GCC unroll 16
    for (std::size_t row = 0; row < Rows; ++row) {
      for (std::size_t v = 0; v < Vectors; ++v) store(into.at + row * into.stride + v * LANES, totals[row][v]);
    }
  }

  Gathered gathered_;
  std::size_t of_stride_;
  std::size_t sums_stride_;
};

// For units that lie side by side: as many as V holds.
template <typename V>
inline void cell(const float* sums, const float* bias, std::size_t units, const float* c_before, float* gates, float* c, float* h) {
  const auto sum = [=](std::size_t gate) { return load<V>(sums + gate * units) + load<V>(bias + gate * units); };
  const Quotient<V> i = sigmoid(sum(0));
  const Quotient<V> f = sigmoid(sum(1));
  const Quotient<V> g = hyperbolic_tangent(sum(2));
  const Quotient<V> o = sigmoid(sum(3));
  // One division for all: it takes as long as a dozen products.
  const V below_if = i.below * f.below;
  const V below_go = g.below * o.below;
  const V one_over_all = 1.0f / (below_if * below_go);
  const V one_over_if = one_over_all * below_go;
  const V one_over_go = one_over_all * below_if;
  const V input = i.above * (one_over_if * f.below);
  const V forget = f.above * (one_over_if * i.below);
  const V candidate = g.above * (one_over_go * o.below);
  const V output = o.above * (one_over_go * g.below);
  const V state = forget * load<V>(c_before) + input * candidate;
  store(gates, input);
  store(gates + units, forget);
  store(gates + 2 * units, candidate);
  store(gates + 3 * units, output);
  store(c, state);
  store(h, output * hyperbolic_tangent(state).value());
}

void forward(const LstmForward& given) {
  const auto& [steps, rows, inputs, units, first, end] = given.sizes;
  const std::size_t gates_width = 4 * units;
  const std::size_t count = end - first;
  const Weights of_inputs(inputs, gates_width, {given.kernel, gates_width}, false);
  const Weights of_state(units, gates_width, {given.kernel + inputs * gates_width, gates_width}, false);
  // A register more than a row takes, so that rows do not all fall on the same few lines of the cache.
  const std::size_t stride = of_state.columns() + LANES;
  Floats all_sums(count * stride);
  for (std::size_t step = 0; step < steps; ++step) {
    const float* h_before = step == 0 ? given.h0 : given.h + (step - 1) * rows * units;
    const float* c_before = step == 0 ? given.c0 : given.c + (step - 1) * rows * units;
    of_inputs.multiply<false>({given.x + (step * rows + first) * inputs, inputs}, count, {all_sums.data(), stride});
    of_state.multiply<true>({h_before + first * units, units}, count, {all_sums.data(), stride});
    for (std::size_t row = first; row < end; ++row) {
      const std::size_t at = step * rows + row;
      const float* sums = all_sums.data() + (row - first) * stride;
      float* gates = given.gates + (given.keeps_gates ? at : row) * gates_width;
      float* c = given.c + at * units;
      float* h = given.h + at * units;
      for_each_vector(units, [&](std::size_t unit, auto zero) {
        cell<decltype(zero)>(sums + unit, given.bias + unit, given.sizes.units, c_before + row * given.sizes.units + unit, gates + unit, c + unit, h + unit);
      });
    }
  }
}

// dh: what came in from the step after; dc: at its cell, and then at the cell of the step before.
template <typename V>
inline void cell_back(const float* gates, std::size_t units, const float* c, const float* c_before, const float* d_output, const float* dh, float* dc, float* d_sums) {
  const V input = load<V>(gates);
  const V forget = load<V>(gates + units);
  const V candidate = load<V>(gates + 2 * units);
  const V output = load<V>(gates + 3 * units);
  const V squashed = hyperbolic_tangent(load<V>(c)).value();
  const V d_h = d_output == nullptr ? load<V>(dh) : load<V>(dh) + load<V>(d_output);
  const V d_state = load<V>(dc) + d_h * output * (1.0f - squashed * squashed);
  store(d_sums, d_state * candidate * input * (1.0f - input));
  store(d_sums + units, d_state * load<V>(c_before) * forget * (1.0f - forget));
  store(d_sums + 2 * units, d_state * input * (1.0f - candidate * candidate));
  store(d_sums + 3 * units, d_h * squashed * output * (1.0f - output));
  store(dc, d_state * forget);
}

// Goes back through the steps, and sums up what the weights get whenever some steps are gathered.
class WayBack {
 public:
  explicit WayBack(const LstmBack& given)
      : given_(given),
        count_(given.sizes.end - given.sizes.first),
        width_(4 * given.sizes.units),
        gathered_steps_(steps_to_gather(count_)),
        of_inputs_(width_, given.sizes.inputs, {given.kernel, width_}, true),
        of_state_(width_, given.sizes.units, {given.kernel + given.sizes.inputs * width_, width_}, true),
        sums_stride_(padded(width_) + LANES),
        d_sums_(gathered_steps_ * count_ * sums_stride_),
        dh_(count_ * of_state_.columns()),
        dc_(count_ * given.sizes.units),
        dx_(count_ * of_inputs_.columns()),
        d_kernel_((given.sizes.inputs + given.sizes.units) * padded(width_)),
        d_bias_(padded(width_)) {}

  void run() {
    const auto& [steps, rows, inputs, units, first, end] = given_.sizes;
    copy_rows({given_.d_last_h + first * units, units}, units, {dh_.data(), of_state_.columns()});
    copy_rows({given_.d_last_c + first * units, units}, units, {dc_.data(), units});
    std::size_t gathered = 0;
    for (std::size_t step = steps; step-- > 0;) {
      float* d_sums = d_sums_.data() + gathered * count_ * sums_stride_;
      one_step(step, d_sums);
      x_[gathered] = given_.x + (step * rows + first) * inputs;
      h_[gathered] = (step == 0 ? given_.h0 : given_.h + (step - 1) * rows * units) + first * units;
      sums_[gathered] = d_sums;
      if (++gathered == gathered_steps_ || step == 0) {
        sum_up(gathered);
        gathered = 0;
      }
    }
    copy_rows({dh_.data(), of_state_.columns()}, units, {given_.dh0 + first * units, units});
    copy_rows({dc_.data(), units}, units, {given_.dc0 + first * units, units});
    for (std::size_t row = 0; row < inputs + units; ++row) std::memcpy(given_.d_kernel + row * width_, d_kernel_.data() + row * padded(width_), width_ * sizeof(float));
    std::memcpy(given_.d_bias, d_bias_.data(), width_ * sizeof(float));
  }

 private:
  static std::size_t steps_to_gather(std::size_t rows) {
    const std::size_t steps = rows == 0 ? 1 : (kSummedRows + rows - 1) / rows;
    return steps < kMostGathered ? steps : kMostGathered;
  }

  void one_step(std::size_t step, float* all_d_sums) {
    const auto& [steps, rows, inputs, units, first, end] = given_.sizes;
    const float* c_before = step == 0 ? given_.c0 : given_.c + (step - 1) * rows * units;
    for (std::size_t row = first; row < end; ++row) {
      const std::size_t at = step * rows + row;
      const float* gates = given_.gates + at * width_;
      const float* c = given_.c + at * units;
      const float* before = c_before + row * units;
      const float* d_output = given_.d_outputs == nullptr ? nullptr : given_.d_outputs + at * units;
      const float* dh = dh_.data() + (row - first) * of_state_.columns();
      float* dc = dc_.data() + (row - first) * units;
      float* d_sums = all_d_sums + (row - first) * sums_stride_;
      for_each_vector(units, [&](std::size_t unit, auto zero) {
        cell_back<decltype(zero)>(gates + unit, given_.sizes.units, c + unit, before + unit, d_output == nullptr ? nullptr : d_output + unit, dh + unit, dc + unit, d_sums + unit);
      });
    }
    of_state_.multiply<false>({all_d_sums, sums_stride_}, count_, {dh_.data(), of_state_.columns()});
    of_inputs_.multiply<false>({all_d_sums, sums_stride_}, count_, {dx_.data(), of_inputs_.columns()});
    copy_rows({dx_.data(), of_inputs_.columns()}, inputs, {given_.dx + (step * rows + first) * inputs, inputs});
  }

  void sum_up(std::size_t gathered) {
    const auto& [steps, rows, inputs, units, first, end] = given_.sizes;
    const std::size_t columns = padded(width_);
    OuterProducts({gathered, count_}, inputs, sums_stride_).add(x_, inputs, sums_, columns, {d_kernel_.data(), columns});
    OuterProducts({gathered, count_}, units, sums_stride_).add(h_, units, sums_, columns, {d_kernel_.data() + inputs * columns, columns});
    for (std::size_t row = 0; row < gathered * count_; ++row) {
      const float* d_sums = d_sums_.data() + row * sums_stride_;
      for (std::size_t column = 0; column < columns; column += LANES) store(d_bias_.data() + column, load<Vector>(d_bias_.data() + column) + load<Vector>(d_sums + column));
    }
  }

  void copy_rows(Matrix from, std::size_t columns, Target into) const {
    for (std::size_t row = 0; row < count_; ++row) std::memcpy(into.at + row * into.stride, from.at + row * from.stride, columns * sizeof(float));
  }

  const LstmBack& given_;
  std::size_t count_;
  std::size_t width_;
  std::size_t gathered_steps_;
  Weights of_inputs_;
  Weights of_state_;
  std::size_t sums_stride_;
  Floats d_sums_;
  Floats dh_;
  Floats dc_;
  Floats dx_;
  Floats d_kernel_;
  Floats d_bias_;
  // Of the steps that are gathered, first row of each.
  const float* x_[kMostGathered];
  const float* h_[kMostGathered];
  const float* sums_[kMostGathered];
};

void back(const LstmBack& given) { WayBack(given).run(); }

}  // namespace

const Lstm NAME(kLstm) = {kTileRows, forward, back};

}  // namespace tensorport
