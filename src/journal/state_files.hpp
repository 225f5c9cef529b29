// The names in a state's directory, and those of folders that copies of it go to. docs/journal-format.md, "Files".
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_types.hpp"

namespace nissa::journal {

inline constexpr const char* anchor_name = "ANCHOR";
inline constexpr const char* first_database = "state-1.db";

// "state-7.db".
std::string database_name(std::uint64_t number);
// Of a database or a file beside it, by its name: which database. nullopt: it is neither.
std::optional<std::string> database_of(std::string_view name);
inline bool is_database(std::string_view name) { return database_of(name) == name; }

// Of a database's files, in the order in which they are deleted: the log goes first, for what is found without it is an
// older state, and never the log of another database.
inline constexpr std::array<const char*, 3> database_tails{"-wal", "-journal", ""};

// "2026-11-29T071904Z": as ISO 8601 has it, but for colons, which some file systems and tools do not like.
std::string time_name(UnixNs now);
// "", "-2", "-3": behind a name that is taken.
std::string numbered(int nth);
inline constexpr int most_of_a_name = 100;  // folders of one second

}  // namespace nissa::journal
