// Typed reading of one TOML table. Whatever is wrong becomes a line `file:line:column: what; what was expected` in the
// shared list of problems, and reading goes on: the user sees all of them at once. What is read is noted with the value
// that holds, so the list of settings is whole by construction. The only user of toml++ is the .cpp.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nissa::config {

using Problems = std::vector<std::string>;

// A key that was read, in the order of reading. Those of [[tables]] are not noted: these are definitions.
struct Setting {
  std::string section;  // "gate"; "" at the top of the file
  std::string key;
  std::string value;   // that holds, as it would stand in a file; it is JSON, too. A secret's is "\"(not shown)\""
  bool given = false;  // in the file; else it is the default
};
using Settings = std::vector<Setting>;

class TomlTable {
 public:
  // A document that does not parse, or is nested too deeply to be parsed, is one problem and an empty table. `file` is
  // only named in messages. What is read goes to `settings`. Both lists outlive the table.
  static TomlTable parse(std::string_view text, std::string file, Problems& problems, Settings& settings);

  ~TomlTable();
  TomlTable(TomlTable&&) noexcept;
  TomlTable& operator=(TomlTable&&) = delete;

  // Each leaves `into` as it is where the key is absent or wrong. Limits are inclusive. Returns whether it was set.
  bool text(std::string_view key, std::string& into);
  bool flag(std::string_view key, bool& into);
  bool integer(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most);
  bool duration_ns(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most);
  bool duration_ms(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most);
  bool bytes(std::string_view key, std::uint64_t& into, std::uint64_t least, std::uint64_t most);
  // "auto" is nullopt.
  bool bytes_or_auto(std::string_view key, std::optional<std::uint64_t>& into, std::uint64_t least, std::uint64_t most);
  // Lists and tables stand in [[tables]] only, so they are not noted.
  bool texts(std::string_view key, std::vector<std::string>& into);
  // A table of strings, in the order of the file.
  bool entries(std::string_view key, std::vector<std::pair<std::string, std::string>>& into);
  // `allowed` names the choices, of which `into` is one; it becomes the index of the one given.
  bool choice(std::string_view key, std::size_t& into, const std::vector<std::string_view>& allowed);

  TomlTable section(std::string_view key);                // [key]; empty where absent
  std::vector<TomlTable> sections(std::string_view key);  // [[key]]

  // What people call this table: told with each of its problems from here on.
  void call(std::string_view name);

  bool has(std::string_view key) const;
  // A problem at the key's value (at the table itself where the key is absent or empty).
  void problem(std::string_view key, const std::string& message);
  // `file:line:column` of a key's value.
  std::string place(std::string_view key) const;
  // To be called when all known keys were read: every other key is a problem, with the nearest name read.
  void refuse_unknown_keys();

 private:
  struct Inside;
  explicit TomlTable(std::unique_ptr<Inside> inside);
  bool read_text(std::string_view key, std::string& into);
  template <class Parse>
  bool quantity(std::string_view key, const Parse& parse);
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::config
