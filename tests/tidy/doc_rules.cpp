// What the documents promise: links that lead somewhere, laws with tests, flags that are explained.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "rules.h"

namespace twostroke::tidy {
namespace {

std::string resolve(const std::string& document, const std::string& target) {
  const auto folder = std::filesystem::path(document).parent_path();
  std::string path = (folder / target).lexically_normal().generic_string();
  while (path.ends_with('/')) path.pop_back();
  return path;
}

// The targets of [text](target), without those that leave the tree or stay on the page.
std::vector<std::string> relative_links(const std::string& line) {
  std::vector<std::string> targets;
  for (size_t at = line.find("]("); at != std::string::npos; at = line.find("](", at + 1)) {
    const size_t end = line.find(')', at);
    if (end == std::string::npos) break;
    std::string target = line.substr(at + 2, end - at - 2);
    target = target.substr(0, target.find_first_of("# "));
    if (target.empty() || target.find(':') != std::string::npos) continue;
    targets.push_back(target);
  }
  return targets;
}

bool is_law(std::string_view line) {
  return line.size() > 3 && std::isdigit(static_cast<unsigned char>(line[0])) != 0 &&
         line.find(". **") != std::string_view::npos && line.find(". **") < 3;
}

// "Tests: `A.B`, `C.D`" → A.B, C.D. A law is one paragraph, so the text may be several lines
// joined.
std::vector<std::string> named_tests(const std::string& law) {
  std::vector<std::string> tests;
  size_t at = law.find("Tests:");
  if (at == std::string::npos) return tests;
  while ((at = law.find('`', at)) != std::string::npos) {
    const size_t end = law.find('`', at + 1);
    if (end == std::string::npos) break;
    tests.push_back(law.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return tests;
}

bool has_gtest(const SourceTree& tree, const std::string& suite, const std::string& name) {
  const std::string wanted = fmt::format("({}, {})", suite, name);
  return std::any_of(tree.files().begin(), tree.files().end(), [&](const SourceFile& file) {
    return is_cpp(file.path) &&
           std::any_of(file.code.begin(), file.code.end(), [&](const std::string& line) {
             return line.starts_with("TEST") && line.find(wanted) != std::string::npos;
           });
  });
}

bool test_exists(const SourceTree& tree, const std::string& test) {
  if (const size_t colons = test.find("::"); colons != std::string::npos) {
    const SourceFile* file = tree.find(test.substr(0, colons));
    if (file == nullptr) return false;
    const std::string definition = fmt::format("def {}(", test.substr(colons + 2));
    return std::any_of(file->lines.begin(), file->lines.end(), [&](const std::string& line) {
      return line.find(definition) != std::string::npos;
    });
  }
  const size_t dot = test.find('.');
  return dot != std::string::npos && has_gtest(tree, test.substr(0, dot), test.substr(dot + 1));
}

void check_law(const SourceTree& tree, const std::string& law, size_t line, Violations* found) {
  const std::vector<std::string> tests = named_tests(law);
  if (tests.empty()) {
    found->push_back({"ARCHITECTURE.md", line, "a law must name its tests (Tests: `Suite.Name`)"});
  }
  for (const std::string& test : tests) {
    if (!test_exists(tree, test)) {
      found->push_back({"ARCHITECTURE.md", line, fmt::format("no such test: {}", test)});
    }
  }
}

}  // namespace

Violations check_links(const SourceTree& tree) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!is_markdown(file.path)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& target : relative_links(file.lines[i])) {
        if (!tree.has_path(resolve(file.path, target))) {
          found.push_back({file.path, i + 1, fmt::format("broken link: {}", target)});
        }
      }
    }
  }
  return found;
}

Violations check_laws(const SourceTree& tree) {
  Violations found;
  const SourceFile* architecture = tree.find("ARCHITECTURE.md");
  if (architecture == nullptr) return {{"ARCHITECTURE.md", 0, "missing"}};
  std::string law;  // the one being read, empty between laws
  size_t law_line = 0;
  bool in_laws = false;
  size_t num_laws = 0;
  const auto finish = [&] {
    if (!law.empty()) check_law(tree, law, law_line, &found);
    law.clear();
  };
  for (size_t i = 0; i < architecture->lines.size(); ++i) {
    const std::string& line = architecture->lines[i];
    if (line.starts_with("## ")) {
      finish();
      in_laws = line.starts_with("## Laws");
    }
    if (!in_laws) continue;
    if (is_law(line)) {
      finish();
      law_line = i + 1;
      ++num_laws;
      law = line;
    } else if (!law.empty() && !line.empty()) {
      law += " " + line;
    } else if (line.empty()) {
      finish();
    }
  }
  finish();
  if (num_laws == 0) found.push_back({"ARCHITECTURE.md", 0, "no numbered laws under ## Laws"});
  return found;
}

std::set<std::string> flags_in(std::string_view text) {
  std::set<std::string> flags;
  for (size_t at = text.find("--"); at != std::string_view::npos; at = text.find("--", at + 2)) {
    const bool starts_word =
        at == 0 || std::string_view(" ,[(`|\n").find(text[at - 1]) != std::string_view::npos;
    size_t end = at + 2;
    while (end < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '-')) {
      ++end;
    }
    const bool is_flag =
        end > at + 2 && std::islower(static_cast<unsigned char>(text[at + 2])) != 0;
    if (starts_word && is_flag) flags.emplace(text.substr(at, end - at));
  }
  return flags;
}

Violations check_flags_documented(const std::string& command, std::string_view help,
                                  const std::vector<const SourceFile*>& documents) {
  std::set<std::string> documented;
  for (const SourceFile* document : documents) {
    if (document == nullptr) continue;
    for (const std::string& line : document->lines) documented.merge(flags_in(line));
  }
  Violations found;
  for (const std::string& flag : flags_in(help)) {
    if (!documented.contains(flag)) {
      found.push_back({"docs/cli.md", 0, fmt::format("{} {} is not explained", command, flag)});
    }
  }
  return found;
}

}  // namespace twostroke::tidy
