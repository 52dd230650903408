#ifndef TENSORPORT_LSTM_H_
#define TENSORPORT_LSTM_H_

#include <cstddef>

namespace tensorport {

// Rows of a batch on their way through all steps of an LSTM with sigmoid gates and tanh. All arrays are float32, the last side first; the gates lie side by
// side: input, forget, candidate, output. What a row gives does not depend on the rows beside it.
struct LstmSizes {
  std::size_t steps;
  std::size_t rows;
  std::size_t inputs;
  std::size_t units;
  // The rows to go through: first ≤ row < end.
  std::size_t first;
  std::size_t end;
};

struct LstmForward {
  LstmSizes sizes;
  const float* x;       // [steps, rows, inputs]
  const float* h0;      // [rows, units]
  const float* c0;      // [rows, units]
  const float* kernel;  // [inputs + units, 4 · units]
  const float* bias;    // [4 · units]
  float* gates;         // [steps, rows, 4 · units], after their activations; or [rows, 4 · units], each step's in place of the one before
  bool keeps_gates;     // of all steps
  float* c;             // [steps, rows, units]
  float* h;             // [steps, rows, units]
};

struct LstmBack {
  LstmSizes sizes;
  const float* x;          // what the way forward was given, and what it gave
  const float* h0;
  const float* c0;
  const float* kernel;
  const float* gates;
  const float* c;
  const float* h;
  const float* d_outputs;  // [steps, rows, units], or null where only the last states are used
  const float* d_last_h;   // [rows, units]
  const float* d_last_c;   // [rows, units]
  float* dx;               // [steps, rows, inputs]
  float* dh0;              // [rows, units]
  float* dc0;              // [rows, units]
  float* d_kernel;         // [inputs + units, 4 · units], of these rows alone
  float* d_bias;           // [4 · units], of these rows alone
};

struct Lstm {
  // Rows that are at least worth a thread of their own.
  std::size_t tile_rows;
  void (*forward)(const LstmForward&);
  void (*back)(const LstmBack&);
};

// One for each set of instructions that lstm.cc was compiled for. Those of others are not to be called on a processor without them.
extern const Lstm kLstmBaseline;
#if defined(__x86_64__)
extern const Lstm kLstmAvx2;
extern const Lstm kLstmAvx512;
#endif

}  // namespace tensorport

#endif  // TENSORPORT_LSTM_H_
