// Parked<T>: a coroutine that waits for a T, with the executor it wants to go on with. Whoever holds it wakes it, from
// any thread, exactly once. It is never dropped: a coroutine that nobody wakes leaks with all it holds, and Asio would
// post its unwinding to an executor that may be gone.
//
// The only user of any_completion_handler, whose traps in Boost 1.81 end here: its move assignment recurses without
// end (so: construct and swap), and its associated executor cannot post (so: the executor is kept beside it).
#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <utility>

#include "async/strand.hpp"

namespace nissa {

// T has a default value, which is what a coroutine gets that was dropped against all rules: make it the cautious one.
template <class T>
class [[nodiscard]] Parked {
 public:
  using Handler = boost::asio::any_completion_handler<void(T)>;

  Parked(Handler handler, Executor home) : handler_(std::move(handler)), home_(std::move(home)) {}
  Parked(Parked&& other) noexcept : handler_(std::move(other.handler_)), home_(std::move(other.home_)) {}
  Parked& operator=(Parked&& other) noexcept {
    handler_.swap(other.handler_);
    std::swap(home_, other.home_);
    return *this;
  }
  ~Parked() {
    if (!handler_) return;
    violation("async", "a parked coroutine is woken, not dropped");
    wake(T{});
  }

  // The coroutine goes on with `value`, on its own executor, never inside this call. Any thread; 0.1 µs.
  void wake(T value) {
    if (!handler_) return violation("async", "a parked coroutine is woken once");
    Handler handler(std::move(handler_));
    boost::asio::post(home_, [handler = std::move(handler), value = std::move(value)]() mutable {
      std::move(handler)(std::move(value));
    });
  }

 private:
  Handler handler_;
  Executor home_;
};

namespace parked_detail {
template <class T, class H>
Parked<T> make(H handler) {
  Executor home = boost::asio::get_associated_executor(handler);
  return Parked<T>(typename Parked<T>::Handler(std::move(handler)), std::move(home));
}
}  // namespace parked_detail

// Suspends the awaiting coroutine and calls keep(Parked<T>) in place, on the same executor: nothing on this strand
// happens between what the coroutine saw before and keep. keep stores it or wakes it; it does not throw.
template <class T, class Keep>
[[nodiscard]] Task<T> park(Keep keep) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Keep keep_it) {
        auto bound = [&, parked = parked_detail::make<T>(std::move(handler))]() mutable { keep_it(std::move(parked)); };
        strand_detail::call(bound);
      },
      boost::asio::use_awaitable, std::move(keep));
}

// Hops onto the strand, calls keep(Parked<T>) there and comes back on the caller's executor when woken: for an answer
// that the owner may give at once or later (a turn at the gate, a commit).
template <class T, class Keep>
[[nodiscard]] Task<T> park_on(const Strand& strand, Keep keep) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Strand::Inner inner, Keep keep_it) {
        boost::asio::defer(
            inner, [keep_it = std::move(keep_it), parked = parked_detail::make<T>(std::move(handler))]() mutable {
              auto bound = [&] { keep_it(std::move(parked)); };
              strand_detail::call(bound);
            });
      },
      boost::asio::use_awaitable, strand.inner(), std::move(keep));
}

}  // namespace nissa
