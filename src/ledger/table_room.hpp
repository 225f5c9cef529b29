// Memory before it is needed: after make_room(table, more) that many elements go in without any. In growing steps, so
// that asking before each one costs a comparison. Fails by std::bad_alloc; the table is as before.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

namespace nissa::ledger {

template <class T>
void make_room(std::vector<T>& list, std::size_t more) {
  if (list.capacity() - list.size() < more) list.reserve(std::max(list.size() + more, 2 * list.capacity()));
}

// A flat table of boost::unordered. One that much was erased from takes less than its size, until it is made anew.
template <class Table>
void make_room(Table& table, std::size_t more) {
  const std::size_t wanted = table.size() + more;
  if (wanted <= table.max_load()) return;
  table.reserve(std::max(wanted, 2 * table.size()));
  if (wanted > table.max_load()) table.rehash(2 * table.bucket_count());
}

}  // namespace nissa::ledger
