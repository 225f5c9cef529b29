// Typed reading of one TOML table. Whatever is wrong becomes a line `file:line:column: what; what was expected` in the
// shared list of problems, and reading goes on: the user sees all of them at once. The only user of toml++ is the .cpp.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nissa::config {

using Problems = std::vector<std::string>;

class TomlTable {
 public:
  // A document that does not parse is one problem and an empty table. `file` is only named in messages.
  static TomlTable parse(std::string_view text, std::string file, Problems& problems);

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
  bool texts(std::string_view key, std::vector<std::string>& into);
  // A table of strings, in the order of the file.
  bool entries(std::string_view key, std::vector<std::pair<std::string, std::string>>& into);
  // `allowed` names the choices; `into` becomes the index of the one given.
  bool choice(std::string_view key, std::size_t& into, const std::vector<std::string_view>& allowed);

  TomlTable section(std::string_view key);                // [key]; empty where absent
  std::vector<TomlTable> sections(std::string_view key);  // [[key]]

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
  template <class Parse>
  bool quantity(std::string_view key, const Parse& parse);
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::config
