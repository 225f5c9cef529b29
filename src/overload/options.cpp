#include "overload/options.hpp"

#include <string>

namespace nissa::overload {

Status Options::check(std::size_t largest_batch) const {
  std::uint32_t before = 0;
  for (const Priority priority : all_priorities) {
    const std::string name(name_of(priority));
    const std::uint32_t share = share_percent[index_of(priority)];
    if (share < before || share > 100)
      return failure("the share of class " + name + " must be from that of the class below it to 100 %, not " +
                     std::to_string(share) + " %");
    before = share;
    if (share_bytes(priority) < largest_batch)
      return failure("class " + name + " may hold " + std::to_string(share_bytes(priority)) +
                     " bytes, less than one batch of " + std::to_string(largest_batch) + " bytes: raise ingest_bytes");
  }
  if (critical_bytes < largest_batch)
    return failure("critical_bytes = " + std::to_string(critical_bytes) + " is less than one batch of " +
                   std::to_string(largest_batch) + " bytes");
  if (sender_percent < 1 || sender_percent > 100) return failure("the share of a sender must be 1 to 100 %");
  // It holds a part of the batch already when it asks for the rest.
  if (sender_bytes(ingest_bytes) < largest_batch)
    return failure("one sender may hold " + std::to_string(sender_bytes(ingest_bytes)) +
                   " bytes, less than one batch of " + std::to_string(largest_batch) +
                   " bytes: raise ingest_bytes or sender_percent");
  std::uint32_t floors = 0;
  for (const std::uint32_t floor : floor_percent) floors += floor;
  if (floors > 100) return failure("the floors of the classes are " + std::to_string(floors) + " %, above 100 %");
  if (slice_ns < 1 || fold_ns_per_byte <= 0) return failure("a slice of folds must be above 0 ns");
  if (least_retry_ms > most_retry_ms) return failure("the least retry_after is above the greatest");
  return {};
}

}  // namespace nissa::overload
