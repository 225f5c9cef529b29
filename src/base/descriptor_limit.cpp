#include "base/descriptor_limit.hpp"

#include <sys/resource.h>

namespace nissa {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return no_descriptor_limit;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  // "Infinity" may be more than the kernel's fs.nr_open lets anybody have: then the old one stays.
  if (limit.rlim_cur != limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur == RLIM_INFINITY ? no_descriptor_limit : limit.rlim_cur;
}

}  // namespace nissa
