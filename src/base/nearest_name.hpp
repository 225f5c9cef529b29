// "Did you mean ...?": the known name that is nearest to a misspelt one. Pure.
#pragma once
#include <cstddef>
#include <string_view>

namespace nissa {

// Single characters (bytes) to insert, delete or replace: Levenshtein's distance. O(product of the lengths).
std::size_t edit_distance(std::string_view a, std::string_view b);

// Known names are shown to it one by one, so that whoever has many can give a turn away between them: 0.5 µs for one of
// about 20 characters, nothing for one whose length alone tells that it is too far. The first of the nearest wins.
class NearestName {
 public:
  // `given` outlives it.
  explicit NearestName(std::string_view given) : given_(given), least_(given.size() / 3 + 1) {}
  void consider(std::string_view known);
  // A view into what was considered; empty if nothing was within a third of the length of `given`.
  std::string_view name() const { return name_; }

 private:
  std::string_view given_;
  std::string_view name_;
  std::size_t least_;
};

// `known`: a range of std::string_view.
template <class Names>
std::string_view nearest_name(std::string_view given, const Names& known) {
  NearestName nearest(given);
  for (const std::string_view one : known) nearest.consider(one);
  return nearest.name();
}

}  // namespace nissa
