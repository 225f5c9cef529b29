// The SLO mathematics by definition: keeps every event and counts any window by looking at all of them. Slow and plain,
// so that it can be believed at a glance; shares nothing with src/slo but the meaning of words.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace nissa::oracle {

struct BruteCounts {
  std::uint64_t good = 0;
  std::uint64_t total = 0;
  bool operator==(const BruteCounts&) const = default;
};

class BruteForceSlo {
 public:
  struct Event {
    std::int64_t at_ms;
    bool good;
    std::uint64_t times = 1;
  };
  // Applied by a record of ledger time `record_ms`.
  void add(std::uint32_t slo, const Event& event, std::int64_t record_ms);

  // [floor(now, grid) − length, now], by 10 s buckets of the events' times: a bucket belongs to the window when it
  // starts in it, for Nissa keeps no finer time than that.
  BruteCounts window(std::uint32_t slo, std::int64_t now_ms, std::int64_t length_ms, std::int64_t grid_ms) const;
  BruteCounts lifetime(std::uint32_t slo) const;
  // The ledger time of the record that counted its first event.
  std::optional<std::int64_t> born(std::uint32_t slo) const;

 private:
  struct Slo {
    std::vector<Event> events;
    std::optional<std::int64_t> born_ms;
  };
  std::map<std::uint32_t, Slo> slos_;
};

}  // namespace nissa::oracle
