#include "server/query.h"

#include <fmt/format.h>

#include <charconv>

namespace twostroke {

std::optional<std::string_view> query_field(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

Result<double> query_number(std::string_view query, std::string_view name, double otherwise,
                            double lowest, double highest) {
  const auto text = query_field(query, name);
  if (!text) return otherwise;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool is_number = error == std::errc() && end == text->data() + text->size();
  if (is_number && value >= lowest && value <= highest) return value;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("{} must be a number in [{}, {}], found '{}'", name, lowest, highest,
                           text->substr(0, 40)),
               std::string(name)};
}

}  // namespace twostroke
