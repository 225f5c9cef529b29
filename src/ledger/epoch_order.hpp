// Epochs by a running time: which are due, which go first. What goes in where make_room() was called before needs no
// memory, and neither does moving one.
#pragma once
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include "base/batch_key.hpp"

namespace nissa::ledger {

class EpochOrder {
 public:
  using Key = std::pair<RunningMs, Epoch>;

  // Fails by std::bad_alloc.
  void make_room(std::size_t more) {
    spare_.reserve(more);
    while (spare_.size() < more) {
      std::set<Key> one{Key{}};
      spare_.push_back(one.extract(one.begin()));
    }
  }
  void insert(Key key) {
    if (spare_.empty()) {
      keys_.insert(key);
      return;
    }
    auto node = std::move(spare_.back());
    spare_.pop_back();
    node.value() = key;
    keys_.insert(std::move(node));
  }
  void erase(Key key) { keys_.erase(key); }
  void erase(std::set<Key>::const_iterator place) { keys_.erase(place); }
  void move(Key from, Key to) {
    auto node = keys_.extract(from);
    if (node.empty()) return insert(to);
    node.value() = to;
    keys_.insert(std::move(node));
  }
  const std::set<Key>& all() const { return keys_; }

 private:
  std::set<Key> keys_;
  std::vector<std::set<Key>::node_type> spare_;
};

}  // namespace nissa::ledger
