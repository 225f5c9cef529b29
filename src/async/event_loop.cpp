#include "async/event_loop.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "async/strand.hpp"
#include "base/violation.hpp"

namespace nissa {
namespace {

void report(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& thrown) {
    violation("async", std::string("a spawned task ends without an exception, not with: ") + thrown.what());
  } catch (...) {
    violation("async", "a spawned task ends without an exception");
  }
}

}  // namespace

struct EventLoop::Inside {
  explicit Inside(int the_threads)
      : threads(the_threads), context(threads), executor(context.get_executor()), guard(context.get_executor()) {}
  const int threads;
  boost::asio::io_context context;
  Executor executor;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  std::atomic<std::size_t> alive{0};
};

EventLoop::EventLoop(int threads) : inside_(std::make_unique<Inside>(threads)) {}

EventLoop::~EventLoop() {
  if (alive() != 0) violation("async", "every spawned task has ended before its event loop is destroyed");
}

void EventLoop::spawn(Task<void> task) { spawn_at(inside_->executor, std::move(task)); }

void EventLoop::spawn_at(const Executor& executor, Task<void> task) {
  inside_->alive.fetch_add(1, std::memory_order_relaxed);
  // The counter lives as long as the context that runs this.
  boost::asio::co_spawn(executor, std::move(task), [in = inside_.get()](std::exception_ptr error) {
    if (error) report(std::move(error));
    in->alive.fetch_sub(1, std::memory_order_relaxed);
  });
}

std::size_t EventLoop::alive() const { return inside_->alive.load(std::memory_order_relaxed); }

void EventLoop::run() {
  // A handler that throws is a violation, not the end of the thread that happens to run it.
  for (;;) try {
      inside_->context.run();
      return;
    } catch (...) {
      report(std::current_exception());
    }
}

void EventLoop::run_threads() {
  std::vector<std::jthread> others;
  for (int i = 1; i < inside_->threads; ++i) others.emplace_back([this] { run(); });
  run();
}

std::size_t EventLoop::run_ready() {
  for (;;) try {
      inside_->context.restart();
      return inside_->context.poll();
    } catch (...) {
      report(std::current_exception());
    }
}

void EventLoop::release() { inside_->guard.reset(); }

const Executor& EventLoop::executor() const { return inside_->executor; }
boost::asio::io_context& EventLoop::context() { return inside_->context; }

}  // namespace nissa
