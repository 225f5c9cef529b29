#include "ledger/stream_window.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>

#include "support/seed.hpp"

namespace {

using nissa::Fingerprint;
using nissa::Sequence;
using nissa::ledger::Judgement;
using nissa::ledger::StreamWindow;

constexpr Sequence last = ~Sequence{0};

// Everything ever settled, nothing forgotten but by the agent's word.
struct Oracle {
  Sequence low = 1;
  std::map<Sequence, Fingerprint> settled;

  Judgement judge(Sequence sequence, Sequence settled_below, Fingerprint print) const {
    if (sequence < low) return Judgement::below_low;
    const auto end = static_cast<unsigned __int128>(std::max(low, settled_below)) + 256;
    if (sequence >= end) return Judgement::window_full;
    const auto found = settled.find(sequence);
    if (found == settled.end()) return Judgement::absent;
    return found->second == print ? Judgement::duplicate : Judgement::conflict;
  }
  void settle(Sequence sequence, Sequence settled_below, Fingerprint print) {
    low = std::max(low, settled_below);
    settled.erase(settled.begin(), settled.lower_bound(low));
    if (sequence >= low) settled.emplace(sequence, print);
  }
};

StreamWindow copy_of(const StreamWindow& window) {
  nissa::Bytes bytes;
  nissa::ByteWriter writer(bytes);
  window.encode(writer);
  StreamWindow copy;
  nissa::ByteReader reader(bytes);
  CHECK(copy.decode(reader));
  CHECK(reader.at_end());
  nissa::Bytes again;
  nissa::ByteWriter second(again);
  copy.encode(second);
  CHECK(bytes == again);
  return copy;
}

}  // namespace

TEST_CASE("a new stream takes the first 256 numbers and no more") {
  const StreamWindow window;
  CHECK(window.judge(1, 1, {}) == Judgement::absent);
  CHECK(window.judge(256, 1, {}) == Judgement::absent);
  CHECK(window.judge(256, 0, {}) == Judgement::absent);
  CHECK(window.judge(257, 1, {}) == Judgement::window_full);
  CHECK(window.judge(257, 2, {}) == Judgement::absent);
}

TEST_CASE("the window ends 256 above low, whatever was settled in it") {
  StreamWindow window;
  for (Sequence sequence = 1; sequence <= 256; ++sequence) window.settle(sequence, 1, {1, 1});
  CHECK(window.low() == 1);  // only the agent moves it
  CHECK(window.judge(255, 1, {1, 1}) == Judgement::duplicate);
  CHECK(window.judge(256, 1, {1, 1}) == Judgement::duplicate);
  CHECK(window.judge(257, 1, {1, 1}) == Judgement::window_full);
  CHECK(window.judge(257, 2, {1, 1}) == Judgement::absent);  // the header's own word counts too
}

TEST_CASE("an agent whose last batches were all duplicates is not stuck") {
  StreamWindow window;
  window.settle(1, 1, {1, 1});
  // It settled 2 to 400 by other answers; duplicates never reach the journal, so the stored low is still 1.
  CHECK(window.judge(400, 400, {2, 2}) == Judgement::absent);
  window.settle(400, 400, {2, 2});
  CHECK(window.low() == 400);
  CHECK(window.judge(399, 399, {2, 2}) == Judgement::below_low);
}

TEST_CASE("the same number with another body is a conflict") {
  StreamWindow window;
  window.settle(7, 3, {10, 20});
  CHECK(window.judge(7, 3, {10, 20}) == Judgement::duplicate);
  CHECK(window.judge(7, 3, {11, 20}) == Judgement::conflict);
  CHECK(window.judge(7, 3, {10, 21}) == Judgement::conflict);
}

TEST_CASE("numbers at the end of the range do not wrap") {
  StreamWindow window;
  CHECK(window.judge(last, 1, {}) == Judgement::window_full);
  CHECK(window.judge(last, last - 256, {}) == Judgement::window_full);
  CHECK(window.judge(last, last - 255, {}) == Judgement::absent);
  window.settle(last, last - 255, {1, 1});
  CHECK(window.judge(last, last - 255, {1, 1}) == Judgement::duplicate);
  CHECK(window.judge(last - 255, last - 255, {1, 1}) == Judgement::absent);
  CHECK(window.judge(last - 256, last - 256, {1, 1}) == Judgement::below_low);
  window.settle(last - 1, last - 1, {2, 2});
  CHECK(copy_of(window) == window);
  window.settle(last, last, {1, 1});
  CHECK(window.judge(last, last, {1, 1}) == Judgement::duplicate);
  CHECK(copy_of(window) == window);
}

TEST_CASE("a batch that low has passed since it was judged is settled and leaves nothing behind") {
  StreamWindow window;
  window.settle(300, 200, {1, 1});
  window.settle(5, 1, {2, 2});
  CHECK(window.low() == 200);
  CHECK(window.judge(5, 1, {2, 2}) == Judgement::below_low);
}

TEST_CASE("a stream that sends one batch at a time stays small, and a wide one shrinks again") {
  StreamWindow window;
  for (Sequence sequence = 1; sequence < 2000; ++sequence) {
    window.settle(sequence, sequence, {1, 1});
    CHECK(window.heap_bytes() <= 48);
  }
  window.settle(2255, 2000, {1, 1});
  CHECK(window.heap_bytes() <= 2150);
  CHECK(window.heap_bytes() >= 2048);
  window.settle(2256, 2256, {1, 1});
  window.trim();
  CHECK(window.heap_bytes() <= 48);
}

TEST_CASE("growth is never less than what settling adds, and nothing for the lowest open number") {
  auto random = nissa::test::random_for(101);
  for (int round = 0; round < 200; ++round) {
    StreamWindow window;
    Sequence low = 1;
    for (int step = 0; step < 100; ++step) {
      low += random() % 4 == 0 ? random() % 300 : 0;
      const Sequence sequence = low + random() % 256;
      const std::size_t before = window.heap_bytes();
      const std::size_t more = window.growth(sequence, low);
      window.settle(sequence, low, {1, 1});
      CHECK(window.heap_bytes() <= before + more + (sequence == low ? 48 : 0));
      CHECK(window.growth(low, low) == 0);
    }
  }
}

TEST_CASE("any order, any jump of settled_below: the window answers as one that forgets nothing") {
  auto random = nissa::test::random_for(102);
  for (int round = 0; round < 400; ++round) {
    StreamWindow window;
    Oracle oracle;
    Sequence declared = round % 4 == 0 ? last - 3000 : 1;  // what the agent says is settled below
    for (int step = 0; step < 300; ++step) {
      if (random() % 3 == 0)  // up to the end of the range, not past it
        declared += std::min<Sequence>(last - declared, random() % (random() % 8 == 0 ? 600 : 6));
      const Sequence below = declared - std::min<Sequence>(declared - 1, random() % 4 == 0 ? random() % 300 : 0);
      Sequence sequence = below + (random() % 2 == 0 ? random() % 8 : random() % 300);
      if (random() % 10 == 0) sequence = below + 254 + random() % 4;
      if (sequence < below) continue;  // past the end of the range
      const Fingerprint print{static_cast<std::uint32_t>(random() % 2), static_cast<std::uint32_t>(random() % 2)};
      const Judgement said = window.judge(sequence, below, print);
      REQUIRE(said == oracle.judge(sequence, below, print));
      if (said == Judgement::absent) {
        window.settle(sequence, below, print);
        oracle.settle(sequence, below, print);
        REQUIRE(window.low() == oracle.low);
        REQUIRE(window.low() <= declared);
      }
      if (step % 50 == 0) window = copy_of(window);
    }
    for (const auto& [sequence, print] : oracle.settled)
      REQUIRE(window.judge(sequence, oracle.low, print) == Judgement::duplicate);
  }
}

TEST_CASE("damaged bytes of a window are refused or read as another window, never past the end") {
  auto random = nissa::test::random_for(103);
  StreamWindow window;
  for (int i = 0; i < 40; ++i) window.settle(1000 + random() % 256, 1000, {static_cast<std::uint32_t>(random()), 7});
  nissa::Bytes bytes;
  nissa::ByteWriter writer(bytes);
  window.encode(writer);
  for (int round = 0; round < 3000; ++round) {
    nissa::Bytes damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<nissa::Byte>(1u << random() % 8);
    if (random() % 3 == 0) damaged.resize(random() % damaged.size());
    StreamWindow read;
    nissa::ByteReader reader(damaged);
    if (read.decode(reader)) CHECK(read.top() - read.low() <= 256);
  }
}
