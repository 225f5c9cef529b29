// One bit flipped, or a file cut off: what a start then finds has to be the exact state, or damage that is named.
//
//   bit_rot DIR [--seed N] [--records N] [--every N] [--all-bits] [--picks N]
//       makes a sound state in DIR/killed, and the same after one more start in DIR/started; damages a copy of each in
//       DIR/work, place by place, and counts what came of it; ends with 0 only if nothing came that must not.
//       --picks N: some N of the places as lines `pick STATE FILE OFFSET BIT OUTCOME` (BIT -1: cut off there).
//   bit_rot --make-fixture DIR
//       makes a small state in DIR that uses everything in the format of the files, with expected.txt beside them.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <string_view>
#include <vector>

#include "made_state.hpp"
#include "support/state_text.hpp"
#include "trials.hpp"

using namespace nissa::test;

namespace {

namespace fs = std::filesystem;

struct Choice {
  fs::path directory;
  std::uint64_t seed = 1;
  int records = 120;
  std::size_t every = 97;
  bool all_bits = false;
  std::size_t picks = 0;
  fs::path fixture;
};

struct Tried {
  std::string state;
  Place place;
  std::string outcome;
};

// A crash is an outcome too, and has to say of what.
char under_way[200] = "";
void on_crash(int signal_number) {
  if (write(STDERR_FILENO, under_way, std::strlen(under_way)) < 0) _exit(2);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

Choice choice_of(int argc, char** argv) {
  Choice choice;
  const auto number = [&](int& i) { return ++i < argc ? std::strtoull(argv[i], nullptr, 10) : 0; };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seed")
      choice.seed = number(i);
    else if (word == "--records")
      choice.records = static_cast<int>(number(i));
    else if (word == "--every")
      choice.every = number(i);
    else if (word == "--all-bits")
      choice.all_bits = true;
    else if (word == "--picks")
      choice.picks = number(i);
    else if (word == "--make-fixture" && i + 1 < argc)
      choice.fixture = argv[++i];
    else
      choice.directory = word;
  }
  return choice;
}

std::vector<Place> places_in(const Files& files, const Choice& choice, std::mt19937_64& random) {
  std::vector<Place> places;
  for (const auto& [file, bytes] : files) {
    for (std::size_t at = random() % choice.every; at < bytes.size(); at += choice.every) {
      const int one = static_cast<int>(random() % 8);
      for (int bit = choice.all_bits ? 0 : one; bit <= (choice.all_bits ? 7 : one); ++bit)
        places.push_back({file, at, bit});
    }
    for (std::size_t at = 0; at < bytes.size(); at += 4096) places.push_back({file, at, Place::cut});
  }
  return places;
}

// Some of each outcome that there was.
void print_picks(const std::vector<Tried>& tried, std::size_t most, std::mt19937_64& random) {
  std::map<std::string, std::vector<const Tried*>> by_outcome;
  for (const Tried& one : tried) by_outcome[one.outcome].push_back(&one);
  for (const auto& [outcome, all] : by_outcome) {
    for (std::size_t i = 0; i < most / by_outcome.size() + 1; ++i) {
      const Tried& one = *all[random() % all.size()];
      std::printf("pick %s %s %zu %d %s\n", one.state.c_str(), one.place.file.c_str(), one.place.at, one.place.bit,
                  outcome.c_str());
    }
  }
}

// How many places came to what must not be.
int rot_state(const Choice& choice, const std::string& state, const MadeState& made, std::mt19937_64& random,
              std::vector<Tried>& tried) {
  Trials trials(choice.directory / state, choice.directory / "work", made);
  std::printf("%s:", state.c_str());
  for (const auto& [file, bytes] : trials.sound()) std::printf("  %s %zu bytes", file.c_str(), bytes.size());
  std::printf("\n");
  std::map<std::string, std::map<std::string, int>> counts;
  int wrong = 0;
  std::uint64_t kept = 0, parts = 0;
  const auto note = [&](const std::string& kind, const Place& place, const std::string& outcome) {
    const bool is_wrong = outcome.front() == '!';
    ++counts[kind][is_wrong ? "WRONG" : outcome];
    if (is_wrong && ++wrong <= 20)
      std::printf("WRONG: %s, %s, %s, offset %zu, bit %d: %s\n", kind.c_str(), state.c_str(), place.file.c_str(),
                  place.at, place.bit, outcome.c_str() + 1);
    return !is_wrong;
  };
  for (const Place& place : places_in(trials.sound(), choice, random)) {
    std::snprintf(under_way, sizeof under_way, "crashed with %s, %s, offset %zu, bit %d\n", state.c_str(),
                  place.file.c_str(), place.at, place.bit);
    const std::string outcome = trials.outcome(place);
    const std::string kind = place.bit == Place::cut ? "cut off" : "flipped";
    if (!note(kind, place, outcome)) continue;
    tried.push_back({state, place, outcome});
    if (outcome == "exact") continue;
    note(kind + ", --accept-loss", place, trials.outcome_with_loss(place));
    parts += trials.went_on_from() == 0 ? 0 : 1;
    kept += trials.went_on_from();
  }
  for (const auto& [kind, outcomes] : counts) {
    std::printf("  %s:", kind.c_str());
    for (const auto& [outcome, count] : outcomes) std::printf("  %s %d", outcome.c_str(), count);
    std::printf("\n");
  }
  if (parts != 0)
    std::printf("  --accept-loss went on from record %.1f of %llu on average\n",
                static_cast<double>(kept) / static_cast<double>(parts), static_cast<unsigned long long>(made.last_lsn));
  return wrong;
}

int rot(const Choice& choice) {
  fs::create_directories(choice.directory);
  const MadeState made = make_state(choice.directory / "killed", choice.seed, choice.records);
  std::printf("%llu records, %llu snapshots\n", static_cast<unsigned long long>(made.last_lsn),
              static_cast<unsigned long long>(made.snapshots));
  fs::copy(choice.directory / "killed", choice.directory / "started");
  settle(choice.directory / "started");
  std::mt19937_64 random(choice.seed);
  std::vector<Tried> tried;
  const int wrong =
      rot_state(choice, "killed", made, random, tried) + rot_state(choice, "started", made, random, tried);
  print_picks(tried, choice.picks, random);
  return wrong == 0 ? 0 : 1;
}

int make_fixture(const fs::path& directory) {
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    fs::remove_all(directory);
    make_state(directory, seed, 96);
    if (!uses_everything(directory)) continue;
    fs::remove(directory / "lock");
    const auto found = recovered_at(directory);
    if (!found) break;
    std::ofstream(directory / "expected.txt") << state_text(*found->ledger);
    fs::remove(directory / "lock");
    std::printf("%s: seed %llu\n", directory.c_str(), static_cast<unsigned long long>(seed));
    return 0;
  }
  std::fprintf(stderr, "no state that uses everything\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Choice choice = choice_of(argc, argv);
  if (!choice.fixture.empty()) return make_fixture(choice.fixture);
  if (choice.directory.empty() || choice.every == 0 || choice.records < 16) {
    std::fprintf(stderr,
                 "bit_rot DIR [--seed N] [--records N] [--every N] [--all-bits] [--picks N]\n"
                 "bit_rot --make-fixture DIR\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // minutes lie between two lines
  for (const int crash : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) signal(crash, on_crash);
  return rot(choice);
}
