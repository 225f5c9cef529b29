// Staying on a strand that one has visited is seen by nobody at compile time, so the way to do it is not at hand:
// bind_executor and detached are not among what async/ includes, and the tidy test keeps their headers out of src/.
#include "async/strand.hpp"

using namespace nissa;

namespace {

Task<void> moves_onto_a_foreign_strand(const Strand& strand) {
  co_await boost::asio::post(boost::asio::bind_executor(  // expected-error {{no member named 'bind_executor'}}
      strand.inner(), boost::asio::use_awaitable));
}

void lets_a_task_go(Task<void> task, const Strand& strand) {
  boost::asio::co_spawn(  // expected-error {{no member named 'co_spawn'}}
      strand.inner(), std::move(task), boost::asio::detached);  // expected-error {{no member named 'detached'}}
}

}  // namespace
