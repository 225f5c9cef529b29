// Task<T>: what every asynchronous function returns. Asio is only declared here, so that a header that names Task costs
// 0.05 s instead of 1 s; a .cpp that says co_await includes async/strand.hpp (or async/coroutine.hpp) for the rest.
//
// A Task is lazy: it runs when awaited, on the executor of whoever awaits it, and comes back there. Give it what it
// needs by value or by a reference that outlives it.
//
// How a component is written (`ls src/*/*_component.hpp` is the list of strands):
//
//   // tally_component.hpp: no Asio. Thread statement: every async_ function from any thread.
//   class TallyComponent {
//    public:
//     TallyComponent(EventLoop& loop, Timers& timers, TallyOptions options);  // async/event_loop.hpp, async/timer.hpp
//     ~TallyComponent();
//     Task<Total> async_add(Item item);        // any thread; comes back on the caller's executor
//     void submit(std::vector<Item> items);    // any thread; returns at once
//     Task<void> async_stop();                 // any thread, once, before the destructor; ends when the loop has ended
//    private:
//     struct Inside;
//     std::unique_ptr<Inside> inside_;
//   };
//
//   // tally_component.cpp
//   struct TallyComponent::Inside {
//     Strand strand;
//     Timers& timers;
//     Parking idle NISSA_GUARDED_BY(strand){strand};
//     bool stopping NISSA_GUARDED_BY(strand) = false;
//     TallyCore core NISSA_GUARDED_BY(strand);  // pure: all that is worth testing
//     Latch ended;
//
//     Task<void> run() {  // the one loop; spawned on the strand, so it never leaves it
//       strand.entered();
//       while (!stopping) {
//         const auto due = core.next_due();
//         if (timers.now() < due) {  // parked, not polling: woken by submit and by stop
//           if (co_await idle.park_until(timers, due) == Woken::cancelled) break;
//           continue;
//         }
//         core.step(timers.now());
//       }
//       ended.open();
//     }
//   };
//   TallyComponent::TallyComponent(EventLoop& loop, Timers& timers, TallyOptions options)
//       : inside_(std::make_unique<Inside>(Strand(loop), timers, ...)) { spawn_on(inside_->strand, inside_->run()); }
//   Task<Total> TallyComponent::async_add(Item item) {
//     return run_on(inside_->strand, [in = inside_.get(), item] {
//       in->strand.entered();  // the compiler and the running program both know now
//       return in->core.add(item);
//     });
//   }
//   void TallyComponent::submit(std::vector<Item> items) {
//     post_to(inside_->strand, [in = inside_.get(), items = std::move(items)]() mutable {
//       in->strand.entered();
//       in->core.take(std::move(items));
//       in->idle.wake_all();
//     });
//   }
//   Task<void> TallyComponent::async_stop() {
//     co_await run_on(inside_->strand, [in = inside_.get()] {
//       in->strand.entered();
//       in->stopping = true;
//       in->idle.wake_all();
//     });
//     co_await inside_->ended.wait();
//   }
#pragma once

namespace boost::asio {
class any_io_executor;
class io_context;
template <typename T, typename Executor>
class awaitable;
}  // namespace boost::asio

namespace nissa {

using Executor = boost::asio::any_io_executor;

template <class T>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace nissa
