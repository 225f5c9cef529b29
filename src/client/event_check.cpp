#include "client/event_check.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "wire/header_peek.hpp"

namespace nissa::client {
namespace {

bool fits(std::string_view text, std::size_t longest) { return text.size() <= longest && valid_utf8(as_bytes(text)); }

}  // namespace

bool can_be_sent(const agent::Event& event) {
  const auto outcome = static_cast<unsigned>(event.outcome);
  return !event.service.empty() && fits(event.service, longest_name) && fits(event.operation, longest_name) &&
         fits(event.request_id, longest_request_id) && event.labels.size() <= most_labels && outcome <= 4 &&
         event.time_unix_ns >= 0 && std::ranges::all_of(event.labels, [](const agent::Label& label) {
           return fits(label.key, longest_name) && fits(label.value, longest_name);
         });
}

std::string problem_with(const agent::Options& options) {
  const auto within = [](auto value, auto least, auto most) { return value >= least && value <= most; };
  if (options.host.empty()) return "host is empty";
  if (options.port == 0) return "port is 0";
  if (!fits(options.agent, wire::agent_limit)) return "agent is longer than 96 bytes or not UTF-8";
  if (!valid_utf8(as_bytes(options.token))) return "token is not UTF-8";
  if (!within(options.batch_events, 1U, 1'000U)) return "batch_events is not within 1 … 1 000";
  if (!within(options.batch_bytes, 1'024U, 524'288U)) return "batch_bytes is not within 1 KiB … 512 KiB";
  if (!within(options.batch_age_ms, 1U, 60'000U)) return "batch_age_ms is not within 1 … 60 000";
  if (options.max_held_bytes < 65'536) return "max_held_bytes is below 64 KiB";
  if (options.answer_timeout_ms < 1'000) return "answer_timeout_ms is below 1 000";
  return {};
}

}  // namespace nissa::client
