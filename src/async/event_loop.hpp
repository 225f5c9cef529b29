// The event loop: one io_context, the threads that run it, and the only place where a Task is let go on its own.
//
// It is the first member of whoever owns the components (so it is destroyed last), and is stopped by running dry, never
// by force: stop the components, stop the Timers, then release(): run() returns when the last handler has run.
// Thread statement: any thread, but for the run functions and the destructor, whose threads are said below.
#pragma once
#include <cstddef>
#include <memory>

#include "async/task.hpp"

namespace nissa {

class EventLoop {
 public:
  // `threads`: how many will call run(). With one, Asio spares itself the waking of others.
  explicit EventLoop(int threads = 1);
  // After all run() have returned. A spawned task that has not ended is a violation: something was not stopped.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Starts a task on the loop, on no strand. An exception that leaves it is a violation; nobody else would see it.
  void spawn(Task<void> task);
  // Tasks spawned and not ended.
  std::size_t alive() const;

  // This thread serves the loop until release() was called and nothing is left to do.
  void run();
  // The same with as many threads as the constructor was told, this one among them.
  void run_threads();
  // Runs what is ready and returns how many handlers that were. For tests and the simulator: one thread, nothing waits.
  std::size_t run_ready();
  // Lets run() return once nothing is left.
  void release();

  const Executor& executor() const;
  boost::asio::io_context& context();  // for async/ and net/ alone

 private:
  friend void spawn_on(const class Strand& strand, Task<void> task);
  void spawn_at(const Executor& executor, Task<void> task);
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa
