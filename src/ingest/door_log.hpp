// What the agents' doors tell the log: rarely, and with who it was. Any thread.
#pragma once
#include <cstddef>
#include <string_view>
#include <unordered_set>

#include "base/mutex.hpp"
#include "base/refusal.hpp"
#include "fold/batch_fold.hpp"
#include "wire/malformed.hpp"

namespace nissa::ingest {

// Names are an agent's own words, of any length: so much of one is told.
inline constexpr std::size_t longest_logged_name = 128;

void log_malformed(std::string_view principal, std::string_view agent, const wire::Malformed& fault);
void log_closed(std::string_view principal, std::string_view agent, Reason reason);
// Whether events of this batch could not be counted because no more combinations of SLOs are told apart.
void log_match_sets_full(const fold::Folded& folded, const slo::MatchSets& sets);

// Agents by name and principal: 10 000 are remembered, then it begins anew.
class KnownAgents {
 public:
  static constexpr std::size_t most = 10'000;
  // Once for each, one line in the log in ten seconds at most.
  void greet(std::string_view principal, std::string_view agent);
  // False: it was met before, or two hashes are the same by chance.
  bool is_new(std::string_view principal, std::string_view agent);

 private:
  Mutex mutex_;
  std::unordered_set<std::size_t> met_ NISSA_GUARDED_BY(mutex_);  // hashes
};

}  // namespace nissa::ingest
