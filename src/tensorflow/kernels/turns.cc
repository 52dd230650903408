#include <dlfcn.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "operation.h"

namespace tensorport {
namespace {

// Runs that come one after another, by number from 1: each waits, without a thread, until the one before has ended its turn.
class Turns {
 public:
  // The same for the same key, in all of the process; never destroyed.
  static Turns& of(int64_t key) {
    static std::mutex* const mutex = new std::mutex;
    static std::map<int64_t, Turns>* const all = new std::map<int64_t, Turns>;
    const std::lock_guard<std::mutex> lock(*mutex);
    return (*all)[key];
  }

  // Calls go on, here or in the thread that ends the turn before.
  void take(int64_t number, std::function<void()> go_on) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (number > ended_ + 1) {
        waiting_.emplace(number, std::move(go_on));
        return;
      }
    }
    go_on();
  }

  // For a turn that was ended already it does nothing.
  void end(int64_t number) {
    std::function<void()> go_on;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (number <= ended_) return;
      ended_ = number;
      const auto next = waiting_.find(number + 1);
      if (next != waiting_.end()) {
        go_on = std::move(next->second);
        waiting_.erase(next);
      }
    }
    if (go_on) go_on();
  }

 private:
  std::mutex mutex_;
  int64_t ended_ = 0;
  std::map<int64_t, std::function<void()>> waiting_;
};

void* find_turns(TF_OpKernelConstruction* context) { return &Turns::of(Attributes(context).integer("turns")); }

// What goes on with a run lies where the function that TensorFlow calls has its variables: what waits until later needs a copy, and its type is told by the names of
// TensorFlow's own functions alone.
bool can_wait() { return dlsym(RTLD_DEFAULT, "_ZN10tensorflow6RecvOp12ComputeAsyncEPNS_15OpKernelContextESt8functionIFvvEE") != nullptr; }

void take_turn(void* turns, TF_OpKernelContext* context, TF_AsyncOpKernelDoneCallback* done) {
  Call call(context);
  const int64_t* number = call.integer(0);
  const auto& go_on = *reinterpret_cast<const std::function<void()>*>(done);
  if (number == nullptr) go_on();
  else static_cast<Turns*>(turns)->take(*number, go_on);
}

void end_turn(void* turns, TF_OpKernelContext* context) {
  Call call(context);
  const int64_t* number = call.integer(0);
  if (number != nullptr) static_cast<Turns*>(turns)->end(*number);
}

void no_outputs(TF_ShapeInferenceContext*, TF_Status*) {}

}  // namespace

std::vector<Operation> turn_operations() {
  if (!can_wait()) return {};
  // Runs of a graph one after another, in the order of their numbers from 1: the first operation waits until the second has ended the turn before.
  Operation take = {"TensorportTakeTurn", {"number: int64"}, {}, no_outputs, nullptr, {"turns: int"}, find_turns};
  Operation end = {"TensorportEndTurn", {"number: int64"}, {}, no_outputs, end_turn, {"turns: int"}, find_turns};
  take.compute_async = take_turn;
  take.is_stateful = end.is_stateful = true;
  return {take, end};
}

}  // namespace tensorport
