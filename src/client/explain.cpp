#include "client/explain.hpp"

#include <string_view>

namespace nissa::client {
namespace {

std::string named(std::string_view words, Reason reason) {
  return std::string(words) + " (" + std::string(name_of(reason)) + ")";
}

std::string_view words_of_final(Reason reason) {
  switch (reason) {
    case Reason::below_low:
      return "another process uses the same epoch: was this process, or its machine, copied while it ran?";
    case Reason::not_supported:
      return "the server does not support what they ask for";
    case Reason::class_not_allowed:
      return "the server does not let this sender use this class";
    case Reason::frame_too_large:
    case Reason::too_many_events:
      return "the server takes only smaller batches";
    default:
      return "the server cannot read the batch, which is a fault of this agent: please report it";
  }
}

// Why a class is refused for now.
std::string_view words_for_now(Reason reason) {
  switch (reason) {
    case Reason::overloaded:
      return "it is overloaded, and higher classes go first";
    case Reason::no_room:
      return "it has no memory left for more at this moment";
    case Reason::window_full:
      return "too much of this epoch is unsettled: does a copy of this process use it, too?";
    case Reason::epoch_closing:
      return "it is forgetting this agent's epoch at this moment";
    case Reason::streams_full:
      return "it remembers as many agents as its epoch_bytes hold, and takes others as it forgets the old ones";
    case Reason::journal:
      return "writing to its disk failed";
    case Reason::journal_slow:
      return "its disk is slow or hangs";
    case Reason::disk_full:
      return "its disk is nearly full, make room on it";
    case Reason::shutting_down:
      return "it is being stopped or restarted";
    default:
      return "it gives no further reason";
  }
}

}  // namespace

std::string why_lost(const Settlement& settlement) {
  if (settlement.conflict) return "the server counted other events for these lines before, made with other options";
  switch (settlement.fate) {
    case Fate::counted:
    case Fate::duplicate:
      return {};
    case Fate::abandoned:
      return "the time to end came before they were sent";
    case Fate::refused:
    case Fate::uncertain:
      break;
  }
  if (settlement.reason == Reason::none) return "the time to end came before the server answered";
  if (settlement.reason != Reason::unknown_epoch) return named(words_of_final(settlement.reason), settlement.reason);
  return named(
      settlement.other_state
          ? "they were first sent to another state of the server: its state directory was replaced or restored"
          : "the server has forgotten their epoch, as it may once 7 days of its running time have passed since "
            "they were first sent",
      settlement.reason);
}

std::string text_of(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::refused_for_now:
      return named("the server takes no batches of this class for now: " + std::string(words_for_now(notice.reason)),
                   notice.reason) +
             "; all is kept and sent again";
    case Notice::Kind::taken_again:
      return "the server takes batches of this class again";
    case Notice::Kind::other_state:
      return "the server has another state than before: its state directory was replaced or restored, or it was "
             "started with --accept-loss. What the old state counted may be missing in the new one; what was sent and "
             "not answered before may be told as uncertain";
  }
  return {};
}

std::string why_sent_away(Reason reason) {
  const auto words = [reason]() -> std::string_view {
    switch (reason) {
      case Reason::shutting_down:
        return "it is being stopped or restarted";
      case Reason::no_room:
      case Reason::too_many_connections:
        return "it has no room for another connection";
      case Reason::idle:
        return "nothing was said for too long";
      case Reason::slow_frame:
        return "half of a message stood still for too long";
      case Reason::protocol_unknown:
        return "it speaks another version of the protocol";
      default:
        return "it did not understand what came: is there something between that changes it?";
    }
  };
  return named("the server ended the connection: " + std::string(words()), reason);
}

}  // namespace nissa::client
