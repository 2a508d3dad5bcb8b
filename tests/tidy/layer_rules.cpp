// The walls between rooms: who may include whom, no cycles, no unnamed rooms, no dead headers.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <sstream>

#include "rules.h"

namespace twostroke::tidy {
namespace {

std::string trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t`");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t`") - begin + 1));
}

std::vector<std::string> table_cells(const std::string& line) {
  std::vector<std::string> cells;
  if (!line.starts_with('|')) return cells;
  std::istringstream in(line.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) cells.push_back(trim(cell));
  return cells;
}

std::set<std::string> words(std::string text) {
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream in(text);
  std::set<std::string> result;
  for (std::string word; in >> word;) result.insert(word);
  return result;
}

// "base quant" | "all above" | "all" | "all but server, apps" | "–"; what follows a '+' is prose.
std::set<std::string> allowed_rooms(const std::string& cell, const std::set<std::string>& all,
                                    const std::set<std::string>& above) {
  const std::string text = trim(std::string_view(cell).substr(0, cell.find('+')));
  if (text == "all") return all;
  if (text == "all above") return above;
  constexpr std::string_view kAllBut = "all but ";
  if (!text.starts_with(kAllBut)) return words(text);
  std::set<std::string> allowed = all;
  for (const std::string& room : words(text.substr(kAllBut.size()))) allowed.erase(room);
  return allowed;
}

}  // namespace

LayerTable parse_layer_table(const SourceFile& architecture) {
  std::vector<std::pair<std::string, std::string>> rows;  // room, "may include"
  bool in_table = false;
  for (const std::string& line : architecture.lines) {
    const std::vector<std::string> cells = table_cells(line);
    if (cells.size() < 3) {
      if (in_table) break;
      continue;
    }
    if (cells[0] == "room" && cells.back() == "may include") {
      in_table = true;
    } else if (in_table && !cells[0].starts_with("-")) {
      rows.emplace_back(cells[0], cells.back());
    }
  }
  std::set<std::string> all;
  for (const auto& [room, cell] : rows) all.insert(room);
  LayerTable table;
  std::set<std::string> above;
  for (const auto& [room, cell] : rows) {
    table[room] = allowed_rooms(cell, all, above);
    above.insert(room);
  }
  return table;
}

Violations check_layers(const SourceTree& tree, const LayerTable& table) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    const std::string room = room_of(file.path);
    if (room.empty() || !is_cpp(file.path)) continue;
    const auto row = table.find(room);
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const std::string included = quoted_include(file.lines[i]);
      if (included.empty()) continue;
      const std::string target = included.substr(0, included.find('/'));
      if (tree.find("src/" + included) == nullptr) {
        // Made at build time (the web page, the Rust library's header): not a room's.
        if (table.contains(target)) {
          found.push_back({file.path, i + 1, fmt::format("\"{}\" is not in src/", included)});
        }
        continue;
      }
      const bool allowed = target == room || (row != table.end() && row->second.contains(target)) ||
                           (target == "testing" && file.path.ends_with("_test.cpp"));
      if (!allowed) {
        found.push_back({file.path, i + 1,
                         fmt::format("room {} may not include {} (table in ARCHITECTURE.md): {}",
                                     room, target, included)});
      }
    }
  }
  return found;
}

Violations check_include_cycles(const SourceTree& tree) {
  enum class Mark { kOpen, kDone };
  std::map<std::string, Mark> marks;
  std::vector<std::string> trail;
  Violations found;
  const std::function<void(const SourceFile&)> visit = [&](const SourceFile& file) {
    marks[file.path] = Mark::kOpen;
    trail.push_back(file.path);
    for (const std::string& line : file.lines) {
      const SourceFile* next = tree.find("src/" + quoted_include(line));
      if (next == nullptr) continue;
      const auto mark = marks.find(next->path);
      if (mark == marks.end()) {
        visit(*next);
      } else if (mark->second == Mark::kOpen) {
        const auto start = std::find(trail.begin(), trail.end(), next->path);
        found.push_back({next->path, 0,
                         fmt::format("include cycle: {} → {}", fmt::join(start, trail.end(), " → "),
                                     next->path)});
      }
    }
    trail.pop_back();
    marks[file.path] = Mark::kDone;
  };
  for (const SourceFile& file : tree.files()) {
    if (is_cpp(file.path) && !marks.contains(file.path)) visit(file);
  }
  return found;
}

Violations check_rooms_are_named(const SourceTree& tree, const LayerTable& table) {
  std::set<std::string> rooms;
  for (const SourceFile& file : tree.files()) {
    if (const std::string room = room_of(file.path); !room.empty()) rooms.insert(room);
  }
  Violations found;
  for (const std::string& room : rooms) {
    if (!table.contains(room)) {
      found.push_back({"ARCHITECTURE.md", 0, fmt::format("src/{} has no row in the table", room)});
    }
  }
  return found;
}

Violations check_own_header_first(const SourceTree& tree) {
  constexpr std::string_view kSources = "src/", kSuffix = ".cpp";
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!file.path.starts_with(kSources) || !file.path.ends_with(kSuffix)) continue;
    const std::string own = file.path.substr(0, file.path.size() - kSuffix.size()) + ".h";
    if (tree.find(own) == nullptr) continue;
    const auto first =
        std::find_if(file.lines.begin(), file.lines.end(),
                     [](const std::string& line) { return line.starts_with("#include"); });
    if (first == file.lines.end() || std::string(kSources) + quoted_include(*first) != own) {
      found.push_back({file.path, 0, "its own header must be its first include"});
    }
  }
  return found;
}

Violations check_headers_are_used(const SourceTree& tree) {
  std::set<std::string> used;
  for (const SourceFile& file : tree.files()) {
    for (const std::string& line : file.lines) {
      if (const std::string included = quoted_include(line); !included.empty()) {
        used.insert("src/" + included);
      }
    }
  }
  Violations found;
  for (const SourceFile& file : tree.files()) {
    const bool is_header = file.path.starts_with("src/") && file.path.ends_with(".h");
    if (is_header && !used.contains(file.path)) {
      found.push_back({file.path, 0, "no file includes this header"});
    }
  }
  return found;
}

}  // namespace twostroke::tidy
