// What the keys of batches cost: a window, a group from submit to answers with batches of one event, the merging of
// cells and their expansion to SLOs. One thread, no disk.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "base/clock.hpp"
#include "ledger/commit_group.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

const SystemClock the_clock;

// The best of some rounds: what the code costs, not what else the machine did.
template <class Work>
double ns_each(std::size_t count, Work&& work) {
  double best = 1e18;
  for (int round = 0; round < 7; ++round) {
    const BootNs start = the_clock.boot_ns();
    work();
    best = std::min(best, static_cast<double>(the_clock.boot_ns() - start) / static_cast<double>(count));
  }
  return best;
}

void figure(const char* name, double value, const char* unit) { std::printf("figure %s %.1f %s\n", name, value, unit); }

class Sink final : public ReplyTo {
 public:
  void deliver(std::vector<Answer> answers) override { told += answers.size(); }
  std::size_t told = 0;
};

void window() {
  constexpr std::size_t batches = 1'000'000;
  Sequence next = 1;
  StreamWindow stream;
  std::size_t absent = 0;
  figure("window_judge_settle_ns",
         ns_each(batches,
                 [&] {
                   for (std::size_t i = 0; i < batches; ++i, ++next) {
                     const Sequence below = next > 8 ? next - 8 : 1;
                     absent += stream.judge(next, below, {100, 7}) == Judgement::absent ? 1 : 0;
                     stream.settle(next, below, {100, 7});
                   }
                 }),
         "ns");
  if (absent != 7 * batches) std::printf("wrong: %zu\n", absent);
}

// `epochs` agents that each send one batch of one event a group, `lines` to a submission.
void groups(const char* name, std::size_t epochs_count, std::size_t lines) {
  slo::MatchSets sets;
  const slo::MatchSetId set = sets.intern({{.slo = 1, .criterion = {}}, {.slo = 2, .criterion = {}}});
  Epochs epochs;
  LedgerCounters counters;
  CommitGroup group(epochs, sets, counters, {.group_bytes = std::size_t{1} << 30}, {7, 0}, 11);
  const auto sink = std::make_shared<Sink>();
  std::mt19937_64 random(1);
  std::vector<Submission> all(epochs_count);
  for (std::size_t e = 0; e < epochs_count; ++e) {
    Submission& submission = all[e];
    submission.epoch_seen = {7, 0};
    submission.sender = std::make_shared<Sender>(Sender{"agent", "10.0.0." + std::to_string(e % 250)});
    submission.reply_to = sink;
    const Epoch epoch = random() | 1;
    for (std::size_t i = 0; i < lines; ++i) {
      BatchLine line{.key = {epoch, Priority::normal, i + 1}, .settled_below = 1, .print = {100, 7}};
      line.first_cell = static_cast<std::uint32_t>(i);
      line.cell_count = 1;
      submission.lines.push_back(line);
      submission.cells.push_back({slo::cell_key(set, 0, 175'000'000), 1});
    }
  }
  std::shuffle(all.begin(), all.end(), random);
  Lsn lsn = 0;
  const std::size_t batches = epochs_count * lines;
  const double ns = ns_each(batches, [&] {
    for (Submission& submission : all) {
      if (!group.submit(submission, 1).empty()) std::printf("wrong: refused\n");
      for (BatchLine& line : submission.lines) {  // for the next round
        line.settled_below = line.key.sequence - (line.key.sequence - 1) % lines;
        line.key.sequence += lines;
      }
    }
    ++lsn;
    const Record& record = *group.close(lsn, static_cast<UnixMs>(lsn), lsn);
    epochs.reserve(record);
    epochs.apply(record);
    for (Delivery& delivery : group.durable()) delivery.to->deliver(std::move(delivery.answers));
  });
  figure(name, ns, "ns");
  if (sink->told != 7 * batches) std::printf("wrong: %zu answers\n", sink->told);
}

void cells(const char* add_name, const char* expand_name, std::size_t distinct, std::size_t members) {
  slo::MatchSets sets;
  std::mt19937_64 random(2);
  std::vector<slo::MatchSetId> ids;
  for (int i = 0; i < 1000; ++i) {
    std::vector<slo::Member> list;
    for (std::size_t m = 0; m < members; ++m)
      list.push_back({static_cast<slo::SloId>(static_cast<std::size_t>(i) * members + m), {}});
    ids.push_back(sets.intern(list));
  }
  std::vector<slo::Cell> pool;
  for (std::size_t i = 0; i < distinct; ++i)
    pool.push_back({slo::cell_key(ids[random() % ids.size()], static_cast<std::uint32_t>(random() % 2),
                                  static_cast<Bucket>(175'000'000 + random() % (1 + distinct / 1000))),
                    1});
  std::vector<slo::Cell> all;
  for (std::size_t i = 0; i < 1'000'000; ++i) all.push_back(pool[random() % pool.size()]);
  GroupCounts counts(3);
  std::size_t merged = 0;
  double expand = 1e18;
  const double add = ns_each(all.size(), [&] {
    for (std::size_t i = 0; i < all.size(); i += 100) counts.add({all.data() + i, 100});
    merged = counts.cells();
  });
  for (int round = 0; round < 5; ++round) {
    counts.add(all);
    const BootNs start = the_clock.boot_ns();
    const auto out = counts.expand(sets);
    expand = std::min(expand, static_cast<double>(the_clock.boot_ns() - start) / static_cast<double>(merged * members));
  }
  figure(add_name, add, "ns");
  figure(expand_name, expand, "ns");
}

}  // namespace

int main() {
  window();
  groups("group_batch_ns_10_epochs", 10, 100);
  groups("group_batch_ns_64_epochs", 64, 30);
  groups("group_batch_ns_10k_epochs", 10'000, 1);
  cells("cell_add_ns_1k", "cell_expand_ns_1k", 1000, 4);
  cells("cell_add_ns_50k", "cell_expand_ns_50k", 50'000, 4);
}
