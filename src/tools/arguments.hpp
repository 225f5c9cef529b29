// The command line of a tool: --name VALUE, --flag, and a lone "-" (a flag of that name), each asked for by name and
// type. What is wrong is collected, so that one run says all of it. Pure.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nissa::tools {

class Arguments {
 public:
  // Without the program's name.
  explicit Arguments(std::span<const char* const> given);

  bool flag(std::string_view name);
  std::string text(std::string_view name, std::string_view otherwise);
  // As often as it was given, in order.
  std::vector<std::string> texts(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most);
  // The index into `choices`.
  std::size_t choice(std::string_view name, std::span<const std::string_view> choices, std::size_t otherwise);
  // "host:port", "[::1]:7440".
  void host_port(std::string_view name, std::string& host, std::uint16_t& port);

  void problem(std::string text) { problems_.push_back(std::move(text)); }
  // Lines for people; empty if all was understood. Call it last: what was never asked for is unknown.
  std::vector<std::string> problems();

 private:
  struct Given {
    std::string_view name;
    std::string_view value;
    bool has_value = false;
    bool asked = false;
  };
  Given* find(std::string_view name);  // the last one; all of that name are asked for now
  std::string_view value_of(Given& given);

  std::vector<Given> given_;
  std::vector<std::string> problems_;
};

}  // namespace nissa::tools
