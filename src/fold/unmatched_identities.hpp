// The last identities that belong to no SLO: what an operator looks at when events are counted nowhere. Filled when an
// identity is learned, so at no cost where it is recognised; one that the memory has forgotten is learned anew.
// Any thread; bounded: 20 identities of at most 4 KiB.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/mutex.hpp"
#include "base/time_types.hpp"

namespace nissa::fold {

struct UnmatchedIdentity {
  std::string service;
  std::string operation;
  std::vector<std::pair<std::string, std::string>> labels;  // in the order sent; a key may stand twice
  UnixMs learned_ms = 0;                                    // ledger time
};

class UnmatchedIdentities {
 public:
  static constexpr std::size_t kept = 20;
  static constexpr std::size_t longest = 4096;  // longer ones are not listed

  // `identity`: bytes that were proven canonical. About 0.1 µs.
  void learned(ByteView identity, UnixMs ledger_ms);
  void clear();
  // The latest first.
  std::vector<UnmatchedIdentity> latest() const;

 private:
  struct Slot {
    Bytes identity;  // as sent: read only when somebody looks
    UnixMs learned_ms = 0;
    std::uint64_t order = 0;  // the latest is the largest
  };
  mutable Mutex mutex_;
  std::vector<Slot> slots_ NISSA_GUARDED_BY(mutex_);
  std::uint64_t learned_ NISSA_GUARDED_BY(mutex_) = 0;
};

}  // namespace nissa::fold
