// Strand: handlers of one strand never run at the same time, whatever number of threads serves the loop. It is a
// capability for clang's thread-safety analysis: state marked NISSA_GUARDED_BY(strand) is touched only where
// strand.entered() was said, or in functions marked NISSA_REQUIRES(strand).
//
// Three ways onto a strand: run_on (do it there, bring the answer back), post_to (do it there, don't wait),
// spawn_on (a whole coroutine lives there). For a hop that has to wait there for something, see park_on (parked.hpp).
// The example of a component is in async/task.hpp.
#pragma once
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include "async/coroutine.hpp"
#include "async/event_loop.hpp"
#include "base/capability.hpp"
#include "base/violation.hpp"

namespace nissa {

// A copy is the same strand. The loop outlives it. Any thread.
class NISSA_CAPABILITY("strand") Strand {
 public:
  using Inner = boost::asio::strand<boost::asio::io_context::executor_type>;

  explicit Strand(EventLoop& loop) : loop_(&loop), inner_(loop.context().get_executor()) {}

  // Says to the compiler that we are on the strand, and asks at run time whether it is true: about 2 ns. The compiler
  // cannot see a coroutine that was started on another executor, nor a reference that left a guarded function.
  void entered(std::source_location where = std::source_location::current()) const NISSA_ASSERT_CAPABILITY(this) {
    if (!inner_.running_in_this_thread()) violation("async", "this runs on its strand", where);
  }
  bool is_entered() const { return inner_.running_in_this_thread(); }

  EventLoop& loop() const { return *loop_; }
  const Inner& inner() const { return inner_; }

 private:
  EventLoop* loop_;
  Inner inner_;
};

namespace strand_detail {

// Calls what may be marked NISSA_REQUIRES(strand): here the strand is entered, but the compiler cannot relate the
// strand that a lambda names to the one it is posted to. That is what entered() is for.
template <class F>
decltype(auto) call(F& fn) NISSA_NO_THREAD_SAFETY_ANALYSIS {
  return fn();
}

template <class R>
struct Signature {
  using type = void(std::exception_ptr, R);
};
template <>
struct Signature<void> {
  using type = void(std::exception_ptr);
};

// Runs fn here and hands what it returned (or threw) to the handler, on the handler's executor. Deferred, not
// dispatched: dispatch would go on with the caller's work inside this strand.
template <class R, class Handler, class F>
void call_and_return(Handler handler, F& fn) {
  std::exception_ptr error;
  const auto home = boost::asio::get_associated_executor(handler);
  if constexpr (std::is_void_v<R>) {
    try {
      call(fn);
    } catch (...) {
      error = std::current_exception();
    }
    boost::asio::defer(home, [handler = std::move(handler), error = std::move(error)]() mutable {
      std::move(handler)(std::move(error));
    });
  } else {
    R result{};
    try {
      result = call(fn);
    } catch (...) {
      error = std::current_exception();
    }
    boost::asio::defer(home,
                       [handler = std::move(handler), error = std::move(error), result = std::move(result)]() mutable {
                         std::move(handler)(std::move(error), std::move(result));
                       });
  }
}

}  // namespace strand_detail

// What may come back from a strand: a value with a default. A reference into guarded state would be a hole.
template <class R>
concept StrandAnswer = std::is_void_v<R> || (std::is_object_v<R> && std::is_default_constructible_v<R>);

// Runs fn (a plain callable) on the strand and comes back on the caller's executor with what it returned.
// Cost: two hops, 0.2 µs with one thread and 0.4 µs with two (waking an idle thread: 19 µs more).
template <class F>
  requires StrandAnswer<std::invoke_result_t<F&>>
[[nodiscard]] Task<std::invoke_result_t<F&>> run_on(const Strand& strand, F fn) {
  using R = std::invoke_result_t<F&>;
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>,
                                     typename strand_detail::Signature<R>::type>(
      [](auto handler, Strand::Inner inner, F function) {
        boost::asio::defer(inner, [handler = std::move(handler), function = std::move(function)]() mutable {
          strand_detail::call_and_return<R>(std::move(handler), function);
        });
      },
      boost::asio::use_awaitable, strand.inner(), std::move(fn));
}

// Runs fn on the strand some time soon; posts from one thread or strand stay in order. What it throws is a violation.
// The one who posts sees to it that what fn refers to outlives it: components do by their order of stopping.
template <class F>
void post_to(const Strand& strand, F fn) {
  boost::asio::post(strand.inner(), [fn = std::move(fn)]() mutable {
    try {
      strand_detail::call(fn);
    } catch (...) {
      violation("async", "what is posted to a strand does not throw");
    }
  });
}

// Starts a task that lives on the strand. Like EventLoop::spawn.
void spawn_on(const Strand& strand, Task<void> task);

// Lets everything that is ready go first; comes back on the same executor.
[[nodiscard]] Task<void> yield_turn();

}  // namespace nissa
