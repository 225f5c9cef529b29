// Each sentence that an agent tells its owner, word for word; when it is told: stream_told_test.cpp.
#include "client/explain.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace nissa::client::test {
namespace {

Settlement lost(Fate fate, Reason reason) {
  Settlement one;
  one.fate = fate;
  one.reason = reason;
  return one;
}

TEST_CASE("why a batch is lost, word for word") {
  Settlement one = lost(Fate::uncertain, Reason::unknown_epoch);
  CHECK(why_lost(one) ==
        "the server has forgotten their epoch, as it may once 7 days of its running time have passed since they were "
        "first sent (unknown_epoch)");
  one.other_state = true;
  CHECK(why_lost(one) ==
        "they were first sent to another state of the server: its state directory was replaced or restored "
        "(unknown_epoch)");
  CHECK(why_lost(lost(Fate::uncertain, Reason::below_low)) ==
        "another process uses the same epoch: was this process, or its machine, copied while it ran? (below_low)");
  CHECK(why_lost(lost(Fate::uncertain, Reason::none)) == "the time to end came before the server answered");
  CHECK(why_lost(lost(Fate::abandoned, Reason::none)) == "the time to end came before they were sent");
  CHECK(why_lost(lost(Fate::refused, Reason::not_supported)) ==
        "the server does not support what they ask for (not_supported)");
  CHECK(why_lost(lost(Fate::refused, Reason::class_not_allowed)) ==
        "the server does not let this sender use this class (class_not_allowed)");
  CHECK(why_lost(lost(Fate::refused, Reason::too_many_events)) ==
        "the server takes only smaller batches (too_many_events)");
  CHECK(why_lost(lost(Fate::refused, Reason::bad_utf8)) ==
        "the server cannot read the batch, which is a fault of this agent: please report it (bad_utf8)");
  one = lost(Fate::refused, Reason::none);
  one.conflict = true;
  CHECK(why_lost(one) == "the server counted other events for these lines before, made with other options");
}

TEST_CASE("each refusal for now says what the server lacks, that nothing is lost, and its name") {
  const std::vector<std::pair<Reason, std::string>> words{
      {Reason::overloaded, "it is overloaded, and higher classes go first"},
      {Reason::no_room, "it has no memory left for more at this moment"},
      {Reason::window_full, "too much of this epoch is unsettled: does a copy of this process use it, too?"},
      {Reason::epoch_closing, "it is forgetting this agent's epoch at this moment"},
      {Reason::streams_full,
       "it remembers as many agents as its epoch_bytes hold, and takes others as it forgets the old ones"},
      {Reason::journal, "writing to its disk failed"},
      {Reason::journal_slow, "its disk is slow or hangs"},
      {Reason::disk_full, "its disk is nearly full, make room on it"},
      {Reason::shutting_down, "it is being stopped or restarted"},
  };
  for (const auto& [reason, why] : words) {
    CHECK(text_of({Notice::Kind::refused_for_now, reason}) ==
          "the server takes no batches of this class for now: " + why + " (" + std::string(name_of(reason)) +
              "); all is kept and sent again");
  }
  // No refusal to be retried is left without words of its own.
  for (const Reason reason : all_reasons()) {
    const auto number = static_cast<int>(reason);
    if (number < static_cast<int>(Reason::overloaded) || number > static_cast<int>(Reason::shutting_down)) continue;
    CAPTURE(name_of(reason));
    CHECK(std::ranges::any_of(words, [reason](const auto& one) { return one.first == reason; }));
  }
}

TEST_CASE("each end of a connection by the server says why") {
  const auto why = [](Reason reason, const std::string& words) {
    CHECK(why_sent_away(reason) ==
          "the server ended the connection: " + words + " (" + std::string(name_of(reason)) + ")");
  };
  why(Reason::shutting_down, "it is being stopped or restarted");
  why(Reason::no_room, "it has no room for another connection");
  why(Reason::too_many_connections, "it has no room for another connection");
  why(Reason::idle, "nothing was said for too long");
  why(Reason::slow_frame, "half of a message stood still for too long");
  why(Reason::protocol_unknown, "it speaks another version of the protocol");
  why(Reason::value_out_of_range, "it did not understand what came: is there something between that changes it?");
}

}  // namespace
}  // namespace nissa::client::test
