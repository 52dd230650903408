#ifndef TENSORPORT_THREAD_POOL_H_
#define TENSORPORT_THREAD_POOL_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace tensorport {

// Threads that stay: a new one may have to wait some milliseconds for its first turn, on the processor of the one that made it.
class ThreadPool {
 public:
  // One for the process, never destroyed: its threads end with the process.
  static ThreadPool& shared() {
    static ThreadPool* const pool = new ThreadPool();
    return *pool;
  }

  // Processors that this process may use; this thread is one of as many that work.
  std::size_t size() const { return others_ + 1; }

  // Calls work(part) for each part, one of them at least in this thread, and returns when all are done. Several threads may call it at once.
  void run(std::size_t parts, const std::function<void(std::size_t)>& work) {
    std::unique_lock<std::mutex> lock(mutex_);
    start();
    std::size_t left = parts;
    for (std::size_t part = 0; part < parts; ++part) waiting_.push_back({&work, part, &left});
    for (std::size_t part = 1; part < parts; ++part) wanted_.notify_one();
    while (left > 0) {
      const auto own = std::find_if(waiting_.begin(), waiting_.end(), [&](const Task& task) { return task.left == &left; });
      if (own == waiting_.end()) done_.wait(lock);
      else take(own, lock);
    }
  }

 private:
  struct Task {
    const std::function<void(std::size_t)>* work;
    std::size_t part;
    // Of the same call, not done yet.
    std::size_t* left;
  };

  ThreadPool() : others_(processors() - 1) {}

  static std::size_t processors() {
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
  }

  // They round, and flush to zero, as the thread does that makes them: one of TensorFlow's.
  void start() {
    for (; started_ < others_; ++started_) {
      std::thread([this] {
        std::unique_lock<std::mutex> lock(mutex_);
        for (;;) {
          if (waiting_.empty()) wanted_.wait(lock);
          else take(waiting_.begin(), lock);
        }
      }).detach();
    }
  }

  void take(std::deque<Task>::iterator at, std::unique_lock<std::mutex>& lock) {
    const Task task = *at;
    waiting_.erase(at);
    lock.unlock();
    (*task.work)(task.part);
    lock.lock();
    if (--*task.left == 0) done_.notify_all();
  }

  const std::size_t others_;
  std::size_t started_ = 0;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable done_;
  std::deque<Task> waiting_;
};

// Calculations that take as long as waking a thread does many times over.
constexpr std::size_t kWorthAThread = 1'000'000;

// Into how many parts some work is to be cut, each for a thread.
inline std::size_t parts_of(std::size_t calculations, std::size_t most) {
  return std::max<std::size_t>(1, std::min({ThreadPool::shared().size(), most, calculations / kWorthAThread}));
}

}  // namespace tensorport

#endif  // TENSORPORT_THREAD_POOL_H_
