#ifndef TENSORPORT_LSTM_WALK_H_
#define TENSORPORT_LSTM_WALK_H_

#include <cstddef>

namespace tensorport {

// Some rows of a batch on their way through all steps of an LSTM. All arrays are [steps, rows, …] of float32, row after row; the gates lie side by side:
// input, forget, candidate, output. A row is calculated alike whatever other rows are walked with it.
struct Walk {
  std::size_t steps;
  std::size_t rows;
  std::size_t units;
  // The rows to walk: first ≤ row < end.
  std::size_t first;
  std::size_t end;
};

struct WalkForward {
  Walk walk;
  const float* bias;    // [4 · units]
  const float* kernel;  // [units, 4 · units]
  const float* h0;      // [rows, units]
  const float* c0;      // [rows, units]
  const float* sums;    // [steps, rows, 4 · units]: the inputs' share of the gates' sums; may be the same memory as gates
  float* gates;         // [steps, rows, 4 · units], after their activations
  float* c;             // [steps, rows, units]
  float* h;             // [steps, rows, units]
};

struct WalkBack {
  Walk walk;
  const float* kernel;     // [units, 4 · units]
  const float* gates;      // as WalkForward left them
  const float* c;          // [steps, rows, units]
  const float* c0;         // [rows, units]
  const float* d_outputs;  // [steps, rows, units], or null where only the last states are used
  const float* d_last_h;   // [rows, units]
  const float* d_last_c;   // [rows, units]
  float* d_sums;           // [steps, rows, 4 · units]
  float* d_h0;             // [rows, units]
  float* d_c0;             // [rows, units]
};

struct Walker {
  void (*forward)(const WalkForward&);
  void (*back)(const WalkBack&);
};

// One for each set of instructions that lstm-walk.cc was compiled for. Those of others are not to be called on a processor without them.
extern const Walker kWalkerBaseline;
#if defined(__x86_64__)
extern const Walker kWalkerAvx2;
extern const Walker kWalkerAvx512;
#endif

}  // namespace tensorport

#endif  // TENSORPORT_LSTM_WALK_H_
