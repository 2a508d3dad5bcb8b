#include "source_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <sstream>

namespace twostroke::tidy {
namespace {

constexpr size_t kMaxFileBytes = 4 << 20;  // anything larger is data, not text that people wrote

constexpr std::array<std::string_view, 9> kSkippedFolders = {
    ".git", "build", "node_modules", "target", "__pycache__", ".venv", "corpus", ".cache", "dist"};

bool is_skipped_folder(const std::string& name) {
  return std::find(kSkippedFolders.begin(), kSkippedFolders.end(), name) != kSkippedFolders.end();
}

bool is_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Walks C++ text character by character and blanks what is not code.
class Stripper {
 public:
  std::string strip(std::string text) {
    text_ = std::move(text);
    while (i_ < text_.size()) step();
    return std::move(text_);
  }

 private:
  void step() {
    if (at("//")) return blank_to_line_end();
    if (at("/*")) return blank_until("*/", 2);
    if (text_[i_] == '#' && at_line_start_) return blank_to_line_end();
    if (at("R\"")) return blank_raw_string();
    const bool separates_digits = i_ > 0 && text_[i_] == '\'' && is_identifier(text_[i_ - 1]);
    if (text_[i_] == '"' || (text_[i_] == '\'' && !separates_digits)) return blank_literal();
    if (text_[i_] == '\n') {
      at_line_start_ = true;
    } else if (text_[i_] != ' ' && text_[i_] != '\t') {
      at_line_start_ = false;
    }
    ++i_;
  }

  bool at(std::string_view what) const { return text_.compare(i_, what.size(), what) == 0; }

  void blank_one() {
    if (text_[i_] != '\n') text_[i_] = ' ';
    ++i_;
  }

  // A backslash at the end of a line continues a directive.
  void blank_to_line_end() {
    while (i_ < text_.size() && text_[i_] != '\n') {
      const bool continues = text_[i_] == '\\' && i_ + 1 < text_.size() && text_[i_ + 1] == '\n';
      blank_one();
      if (continues) ++i_;
    }
  }

  void blank_until(std::string_view end, size_t skip) {
    const size_t found = text_.find(end, i_ + skip);
    const size_t stop = found == std::string::npos ? text_.size() : found + end.size();
    while (i_ < stop) blank_one();
  }

  void blank_raw_string() {
    const size_t open = text_.find('(', i_);
    if (open == std::string::npos) return blank_to_line_end();
    blank_until(")" + text_.substr(i_ + 2, open - i_ - 2) + "\"", 2);
  }

  void blank_literal() {
    const char quote = text_[i_];
    blank_one();
    while (i_ < text_.size() && text_[i_] != quote && text_[i_] != '\n') {
      if (text_[i_] == '\\') blank_one();
      if (i_ < text_.size()) blank_one();
    }
    if (i_ < text_.size()) blank_one();
    at_line_start_ = false;
  }

  std::string text_;
  size_t i_ = 0;
  bool at_line_start_ = true;
};

}  // namespace

SourceTree SourceTree::read(const std::filesystem::path& root) {
  SourceTree tree;
  std::vector<std::filesystem::path> paths;
  for (auto it = std::filesystem::recursive_directory_iterator(root); it != end(it); ++it) {
    if (it->is_directory() && is_skipped_folder(it->path().filename().string())) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file() && it->file_size() <= kMaxFileBytes) {
      paths.push_back(it->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const std::filesystem::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const bool is_binary = text.str().find('\0') != std::string::npos;
    tree.add(path.lexically_relative(root).generic_string(), is_binary ? "" : text.str());
  }
  return tree;
}

void SourceTree::add(const std::string& path, std::string_view text) {
  SourceFile file{.path = path, .lines = split_lines(text), .code = {}};
  if (is_cpp(path)) file.code = strip_to_code(file.lines);
  index_[path] = files_.size();
  files_.push_back(std::move(file));
}

const SourceFile* SourceTree::find(std::string_view path) const {
  const auto it = index_.find(path);
  return it == index_.end() ? nullptr : &files_[it->second];
}

bool SourceTree::has_path(std::string_view path) const {
  if (find(path) != nullptr) return true;
  const std::string folder = std::string(path) + (path.ends_with('/') ? "" : "/");
  const auto it = index_.lower_bound(folder);
  return it != index_.end() && it->first.starts_with(folder);
}

bool is_cpp(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".h");
}

bool is_markdown(std::string_view path) {
  return path.ends_with(".md");
}

bool is_test_code(std::string_view path) {
  return path.ends_with("_test.cpp") || path.find("_test_util.") != std::string_view::npos ||
         path.find("/fake_") != std::string_view::npos || path.ends_with("_fixture.h") ||
         path == "src/server/raw_http_client.h" || path.starts_with("tests/") ||
         path.starts_with("src/testing/");
}

std::string room_of(std::string_view path) {
  constexpr std::string_view kSources = "src/";
  if (!path.starts_with(kSources)) return {};
  const std::string_view rest = path.substr(kSources.size());
  const size_t slash = rest.find('/');
  return slash == std::string_view::npos ? std::string{} : std::string(rest.substr(0, slash));
}

bool is_generated(const SourceFile& file) {
  return !file.lines.empty() && file.lines.front().find("Generated by") != std::string::npos;
}

std::vector<std::string> strip_to_code(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return split_lines(Stripper().strip(std::move(text)));
}

std::string quoted_include(std::string_view line) {
  constexpr std::string_view kInclude = "#include \"";
  if (!line.starts_with(kInclude)) return {};
  const size_t end = line.find('"', kInclude.size());
  if (end == std::string_view::npos) return {};
  return std::string(line.substr(kInclude.size(), end - kInclude.size()));
}

size_t find_word(std::string_view text, std::string_view word, size_t from) {
  for (size_t at = text.find(word, from); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool open_left = at == 0 || !is_identifier(text[at - 1]) || !is_identifier(word.front());
    const bool open_right =
        end == text.size() || !is_identifier(text[end]) || !is_identifier(word.back());
    if (open_left && open_right) return at;
  }
  return std::string_view::npos;
}

std::string to_text(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& v : violations) {
    text += v.line == 0 ? fmt::format("{}: {}\n", v.path, v.message)
                        : fmt::format("{}:{}: {}\n", v.path, v.line, v.message);
  }
  return text;
}

}  // namespace twostroke::tidy
