// The bytes of all epochs, and each principal's share of them. A live epoch is never evicted, so the bound is kept at
// the door: a new epoch, or a window that has to grow, is refused for as long as there is no room.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_map.hpp>

namespace nissa::ledger {

class EpochBudget {
 public:
  EpochBudget(std::size_t limit, unsigned principal_percent) : limit_(limit), share_(limit / 100 * principal_percent) {}

  // `more` in all, of them `of_principal` for this principal: with what groups under way will take.
  bool has_room(std::string_view principal, std::size_t more, std::size_t of_principal) const {
    return used_ + more <= limit_ && used_by(principal) + of_principal <= share_;
  }
  // The next charge of this principal needs no memory. Fails by std::bad_alloc, as charge() else does, changing
  // nothing.
  void make_room(std::string_view principal);
  void charge(std::string_view principal, std::size_t bytes);
  void release(std::string_view principal, std::size_t bytes);
  void clear() {
    used_ = 0;
    by_principal_.clear();
  }

  std::size_t used() const { return used_; }
  std::size_t limit() const { return limit_; }
  std::size_t used_by(std::string_view principal) const {
    const auto found = by_principal_.find(principal);
    return found == by_principal_.end() ? 0 : found->second;
  }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::size_t limit_;
  std::size_t share_;
  std::size_t used_ = 0;
  boost::unordered_flat_map<std::string, std::size_t, TextHash, std::equal_to<>> by_principal_;
};

}  // namespace nissa::ledger
