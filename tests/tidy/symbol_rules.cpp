// What object files of an ISA folder may export. A weak symbol built for a newer CPU can replace
// the baseline's copy at link time and end in SIGILL on an older one; a symbol outside the folder's
// namespace can do the same by name.
#include <fmt/format.h>

#include <sstream>

#include "rules.h"

namespace twostroke::tidy {

Violations check_isa_symbols(const std::string& object, const std::string& isa,
                             std::string_view nm) {
  Violations found;
  const std::string home = fmt::format("twostroke::{}::", isa);
  std::istringstream in{std::string(nm)};
  for (std::string line; std::getline(in, line);) {
    // "0000000000000010 T twostroke::avx2::matmul(…)"
    const size_t space = line.find(' ');
    if (space == std::string::npos || line.size() < space + 4) continue;
    const char kind = line[space + 1];
    const std::string symbol = line.substr(space + 3);
    const bool is_weak = kind == 'W' || kind == 'w' || kind == 'V' || kind == 'v' || kind == 'u';
    if (is_weak) {
      found.push_back({object, 0, fmt::format("weak symbol {}", symbol)});
    } else if (!symbol.starts_with(home)) {
      found.push_back({object, 0, fmt::format("{} is not in {}", symbol, home)});
    }
  }
  return found;
}

}  // namespace twostroke::tidy
