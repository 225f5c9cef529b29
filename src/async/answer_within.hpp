// A small answer asked of its owner with a deadline: whoever asks is not kept waiting by an owner that is.
// Any thread; comes back on the caller's executor. Costs a timer and a task beside the question itself.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "async/event_loop.hpp"
#include "async/parked.hpp"
#include "async/timer.hpp"
#include "base/mutex.hpp"

namespace nissa {
namespace answer_detail {

// Settled once: by the answer or by the deadline, whichever comes first. What comes second changes nothing.
template <class T>
class Question {
 public:
  void settle(std::optional<T> answer) {
    std::optional<Parked<bool>> asker;
    {
      Lock lock(mutex_);
      if (std::exchange(settled_, true)) return;
      answer_ = std::move(answer);
      if (asker_) asker.emplace(std::move(*asker_));
      asker_.reset();
    }
    if (asker) asker->wake(true);
  }
  void wait(Parked<bool> asker) {
    {
      Lock lock(mutex_);
      if (!settled_) {
        asker_.emplace(std::move(asker));
        return;
      }
    }
    asker.wake(true);
  }
  std::optional<T> take() {
    Lock lock(mutex_);
    return std::move(answer_);
  }

 private:
  Mutex mutex_;
  bool settled_ NISSA_GUARDED_BY(mutex_) = false;
  std::optional<T> answer_ NISSA_GUARDED_BY(mutex_);
  std::optional<Parked<bool>> asker_ NISSA_GUARDED_BY(mutex_);
};

template <class T>
Task<void> put(std::shared_ptr<Question<T>> question, Task<T> asked) {
  question->settle(co_await std::move(asked));
}

}  // namespace answer_detail

// Nothing: no answer came within `ns`, or the timers were stopped. The question goes on then, unheard: what it refers
// to must live as long as its owner may take to answer it.
template <class T>
[[nodiscard]] Task<std::optional<T>> answer_within(EventLoop& loop, Timers& timers, std::int64_t ns, Task<T> asked) {
  const auto question = std::make_shared<answer_detail::Question<T>>();
  loop.spawn(answer_detail::put(question, std::move(asked)));
  const TimerId deadline = timers.call_at(timers.now() + ns, [question](Slept) { question->settle(std::nullopt); });
  (void)co_await park<bool>([question](Parked<bool> asker) { question->wait(std::move(asker)); });
  timers.cancel(deadline);
  co_return question->take();
}

}  // namespace nissa
