// What somebody was told by a commit group, in words that a failed check can print.
#pragma once
#include <ostream>
#include <string>
#include <vector>

#include "ledger/commit_group.hpp"
#include "support/keys_node.hpp"

namespace nissa::ledger {

inline const std::string counted = "counted";
inline const std::string duplicate = "duplicate";
inline const std::string below_low = "duplicate(below_low)";
inline const std::string conflict = "conflict";
inline std::string refused(Reason reason) { return "refused(" + std::string(name_of(reason)) + ")"; }

inline std::string word_of(const Answer& answer) {
  switch (answer.status) {
    case AckStatus::counted:
      return counted;
    case AckStatus::duplicate:
      return answer.reason == Reason::below_low ? below_low : duplicate;
    case AckStatus::conflict:
      return conflict;
    default:
      return refused(answer.reason);
  }
}

struct All : std::vector<std::string> {
  using std::vector<std::string>::vector;
};
inline std::ostream& operator<<(std::ostream& out, const All& all) {
  for (const std::string& word : all) out << word << ' ';
  return out;
}

inline All said(test::Inbox& inbox) {
  All all;
  for (const Answer& answer : inbox.take()) all.push_back(word_of(answer));
  return all;
}
inline All said(test::KeysNode& node) { return said(*node.inbox); }

}  // namespace nissa::ledger
