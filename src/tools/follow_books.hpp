// The batches made of a followed file, from when they are cut until they are settled, and what of it is kept through a
// crash. Rules (docs/protocol.md, "A followed file"): a cut is kept before it is first sent; what is kept is sent again
// as it is; the place where a next start reads on moves behind a cut in the same write that keeps it.
// Bound: most_live, which those who cut keep to. One thread. Pure but for the state file.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/stream_types.hpp"
#include "nissa/client.hpp"
#include "tools/log_follower.hpp"
#include "tools/send_options.hpp"
#include "tools/state_file.hpp"

namespace nissa::tools {

// What became of the lines, for the summary. Lines but blank ones, and what was resumed, are each at the end exactly
// one of: bad, counted, refused, uncertain, kept. (Until then the rest of them is in flight, or in the batch that
// grows.)
struct FollowCounts {
  std::uint64_t lines = 0, bad_lines = 0;
  std::uint64_t resumed = 0;  // events of batches that an earlier start had kept, beside the lines
  std::uint64_t counted = 0, refused = 0, uncertain = 0;
  std::array<std::uint64_t, event_fault_count> rejected{};
  std::uint64_t kept = 0;     // events not settled at the end: the next start sends them
  std::uint64_t missing = 0;  // files, or parts of files, that were not found
};

struct LiveCut {
  Cut cut;                            // bears a key once it is keyed
  std::shared_ptr<TrackedFile> file;  // none of what was resumed
  std::string name;                   // of the file, for people
  FilePoint before, after;            // where it begins; where reading goes on once it is kept
  std::uint32_t lines = 0, bad_lines = 0;
};

class FollowBooks {
 public:
  using Say = std::function<void(const std::string&)>;
  static constexpr std::size_t most_live = 256;  // batches, kept ones included
  static_assert(most_live <= most_cuts, "the state file holds all of them");
  FollowBooks(StateFile& file, const SendOptions& options, Say say);

  // What an earlier process kept: the bodies made again, in the order in which streams take them, by class. What cannot
  // be made again is told and counted as uncertain.
  std::vector<std::pair<Priority, client::Stored>> resume(const SendState& state, const LogFollower& follower);

  // A batch was cut. The tag is the body's from now on.
  std::uint64_t cut(LiveCut made);
  // Lines without events behind the last cut of the file, or behind what is kept.
  void passed(const std::shared_ptr<TrackedFile>& file, const FilePoint& to);
  void keyed(const wire::BatchHeader& header, std::uint64_t tag);
  void settled(const client::Settlement& settlement);
  // Cuts that bear no key yet are as if never made, the first of each file first; `tags` are all that bear none.
  std::vector<LiveCut> take_back(const std::vector<std::uint64_t>& tags);
  // Taken back, but its file no longer holds it.
  void lose(const LiveCut& live, const std::string& why);
  // Its lines are read again, now or by the next start.
  void uncount(const LiveCut& live);
  bool was_keyed(std::uint64_t tag) const { return live_.at(tag).cut.key.epoch != 0; }

  // The next keep() must write before anything goes out: an epoch ends.
  void must_keep() { unkept_ = true; }
  // Writes what is not kept, if it must be before something is sent. False, and said: it could not be.
  bool keep(const LogFollower& follower);
  // Writes all, whether it must or not.
  bool keep_all(const LogFollower& follower);
  bool changed() const { return changed_; }

  std::size_t live() const { return live_.size(); }
  std::size_t unkeyed() const { return unkeyed_; }
  std::uint64_t events_in_flight() const { return events_live_; }
  FollowCounts counts;
  void bad_line(const std::string& where, const std::string& why);

 private:
  std::optional<Bytes> bytes_of(const Cut& cut, const LogFollower& follower);
  void lose(const std::string& where, std::uint64_t events, const std::string& why);
  SendState snapshot(const LogFollower& follower) const;
  void tell_rejected(const LiveCut& live, const client::Settlement& settlement);
  void account(const LiveCut& live, const client::Settlement& settlement);

  StateFile& file_;
  const SendOptions& options_;
  const Say say_;
  std::map<std::uint64_t, LiveCut> live_;  // by tag, in the order of cutting
  std::uint64_t last_tag_ = 0;
  std::size_t unkeyed_ = 0;
  std::uint64_t events_live_ = 0;
  std::uint64_t said_ = 0;
  bool unkept_ = false;   // something must be written before the next bytes go out
  bool changed_ = false;  // something would be written
  bool failing_ = false;
};

// The body of the bytes, as the options say: the same as when they were cut.
client::Body body_of(ByteView bytes, const SendOptions& options);

}  // namespace nissa::tools
