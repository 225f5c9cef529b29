#include "ingest/read_buffer.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "support/seed.hpp"

namespace nissa::ingest {
namespace {

TEST_CASE("bytes go through in order, whatever the sizes of reads, frames and buffers") {
  auto random = test::random_for(17);
  BufferPool pool;
  ReadBuffer buffer(pool);
  std::deque<Byte> model;
  Byte next = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
      case 0:
        buffer.resize(std::max<std::size_t>(1, model.size()) + random() % 1'000);
        break;
      case 1:
        for (std::size_t n = random() % (buffer.free_space().size() + 1); n > 0; --n) {
          buffer.free_space()[0] = next;
          model.push_back(next++);
          buffer.filled(1);
        }
        break;
      case 2:
        for (std::size_t n = random() % (model.size() + 1); n > 0; --n) {
          REQUIRE(buffer.unread()[0] == model.front());
          model.pop_front();
          buffer.consume(1);
        }
        break;
      default:
        buffer.compact();
        REQUIRE(buffer.free_space().size() == buffer.capacity() - model.size());
    }
    REQUIRE(buffer.unread().size() == model.size());
    REQUIRE(buffer.empty() == model.empty());
  }
}

TEST_CASE("what a buffer gives back is taken by the next of its size; the pool keeps no more than its bound") {
  BufferPool pool(2 * BufferPool::unit);
  const Byte* first = nullptr;
  {
    ReadBuffer buffer(pool);
    buffer.resize(BufferPool::unit);
    first = buffer.free_space().data();
    buffer.release();
    CHECK(buffer.capacity() == 0);
    CHECK(pool.kept_bytes() == BufferPool::unit);
    buffer.resize(BufferPool::unit);
    CHECK(buffer.free_space().data() == first);
    CHECK(pool.kept_bytes() == 0);
  }
  CHECK(pool.kept_bytes() == BufferPool::unit);
  pool.give_back(pool.take(1'000));  // no size that is asked for again
  CHECK(pool.kept_bytes() == BufferPool::unit);
  pool.give_back({std::make_unique_for_overwrite<Byte[]>(2 * BufferPool::unit), 2 * BufferPool::unit});
  CHECK(pool.kept_bytes() == BufferPool::unit);  // beyond the bound
  pool.give_back({std::make_unique_for_overwrite<Byte[]>(BufferPool::unit), BufferPool::unit});
  CHECK(pool.kept_bytes() == 2 * BufferPool::unit);
}

}  // namespace
}  // namespace nissa::ingest
