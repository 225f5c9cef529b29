#include "async/strand.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace nissa {

void spawn_on(const Strand& strand, Task<void> task) {
  strand.loop().spawn_at(Executor(strand.inner()), std::move(task));
}

Task<void> yield_turn() { co_await boost::asio::post(boost::asio::use_awaitable_t<Executor>()); }

}  // namespace nissa
