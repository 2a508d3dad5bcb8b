// Sizes: lines of a file, columns of a line, lines of a function.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "rules.h"

namespace twostroke::tidy {
namespace {

bool has_limited_size(const SourceFile& file) {
  constexpr std::array<std::string_view, 8> kEndings = {".cpp", ".h",  ".py",     ".rs",
                                                        ".mjs", ".ts", ".svelte", ".css"};
  return !is_generated(file) &&
         std::any_of(kEndings.begin(), kEndings.end(),
                     [&](std::string_view ending) { return file.path.ends_with(ending); });
}

size_t count_code_points(std::string_view utf8) {
  return static_cast<size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// A raw string begins here, or all of the line lies within one: its text is what it is.
bool is_raw_string(const std::string& line, const std::string& code) {
  const size_t text = line.find_first_not_of(' ');
  const bool is_blanked = code.find_first_not_of(' ') == std::string::npos;
  const bool is_comment = text != std::string::npos && line.compare(text, 2, "//") == 0;
  return line.find("R\"") != std::string::npos || (is_blanked && !is_comment);
}

// One open brace. Its head is the code before it, back to the line behind the last ';', '{', '}' or
// blank line.
struct Brace {
  size_t first_line;
  bool is_function;
  std::string head;
};

std::string trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

// The layout is clang-format's, so lines are enough: a function's brace ends its line, outside any
// other function, and its head has a parameter list.
class FunctionScanner {
 public:
  FunctionScanner(const SourceFile& file, size_t max_lines) : file_(file), max_lines_(max_lines) {}

  Violations scan() {
    for (size_t line = 0; line < file_.code.size(); ++line) {
      const std::string& code = file_.code[line];
      for (size_t column = 0; column < code.size(); ++column) {
        if (code[column] == '{') open(line, column);
        if (code[column] == '}') close(line);
      }
    }
    return std::move(found_);
  }

 private:
  void open(size_t line, size_t column) {
    size_t first = line;
    while (first > 0 && !ends_statement(trim(file_.code[first - 1]))) --first;
    std::string head;
    for (size_t i = first; i < line; ++i) head += trim(file_.code[i]) + " ";
    head = trim(head + file_.code[line].substr(0, column));
    const bool inside = std::any_of(stack_.begin(), stack_.end(),
                                    [](const Brace& brace) { return brace.is_function; });
    const bool ends_line = trim(file_.code[line]).ends_with('{');
    const bool is_function = !inside && ends_line && has_parameters(head) && !is_container(head);
    stack_.push_back({first, is_function, std::move(head)});
  }

  void close(size_t line) {
    if (stack_.empty()) return;
    const Brace brace = std::move(stack_.back());
    stack_.pop_back();
    const size_t num_lines = line - brace.first_line + 1;
    if (!brace.is_function || num_lines <= max_lines_) return;
    found_.push_back({file_.path, brace.first_line + 1,
                      fmt::format("function of {} lines, {} at most: {}", num_lines, max_lines_,
                                  brace.head.substr(0, brace.head.find('(')))});
  }

  static bool ends_statement(const std::string& line) {
    return line.empty() || std::string_view(";{}:").find(line.back()) != std::string_view::npos;
  }

  // Not "= {" nor "= f(…) {": a table is not a function.
  static bool has_parameters(std::string_view head) {
    const size_t parenthesis = head.find('(');
    return parenthesis != std::string_view::npos && !head.ends_with('=') &&
           head.substr(0, parenthesis).find(" = ") == std::string_view::npos;
  }

  static bool is_container(std::string_view head) {
    constexpr std::array<std::string_view, 6> kWords = {"namespace", "class", "struct",
                                                        "union",     "enum",  "extern"};
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](std::string_view word) { return head.starts_with(word); });
  }

  const SourceFile& file_;
  size_t max_lines_;
  std::vector<Brace> stack_;
  Violations found_;
};

}  // namespace

Violations check_file_lines(const SourceTree& tree, size_t max_lines) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (has_limited_size(file) && file.lines.size() > max_lines) {
      found.push_back(
          {file.path, 0, fmt::format("{} lines, {} at most", file.lines.size(), max_lines)});
    }
  }
  return found;
}

Violations check_columns(const SourceTree& tree, size_t max_columns) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!is_cpp(file.path) || is_generated(file)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      const bool cannot_break = line.starts_with("#include") ||
                                line.find("://") != std::string::npos ||
                                is_raw_string(line, file.code[i]);
      if (const size_t columns = count_code_points(line); columns > max_columns && !cannot_break) {
        found.push_back(
            {file.path, i + 1, fmt::format("{} columns, {} at most", columns, max_columns)});
      }
    }
  }
  return found;
}

Violations check_function_lines(const SourceTree& tree, size_t max_lines) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!is_cpp(file.path) || is_generated(file)) continue;
    Violations here = FunctionScanner(file, max_lines).scan();
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

}  // namespace twostroke::tidy
