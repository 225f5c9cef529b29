// Memory that cannot be had is an error value like any other. The one place where the exception ends: used at the
// borders of the pure cores (a batch's fold, a batch into the open group, closing it, a record before it goes to the
// journal, what of a snapshot rides along) and of a backup, nowhere else. What lies within such a border gets its
// memory before it changes anything, or undoes what it did as it is left.
#pragma once
#include <concepts>
#include <new>
#include <utility>

namespace nissa {

// False: `work` was left because it could not get memory. Costs nothing where it could.
template <std::invocable Work>
[[nodiscard]] bool had_memory(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

}  // namespace nissa
