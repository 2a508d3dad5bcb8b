// Words that have a better word here, intrinsics outside their folders, TODOs without an issue,
// traces of one machine.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "rules.h"

namespace twostroke::tidy {
namespace {

struct BannedWord {
  std::string_view word;
  std::string_view instead;
  // Where it may stand, and why; prefixes of paths. kTestCode stands for every test.
  std::vector<std::string_view> allowed = {};
};

constexpr std::string_view kTestCode = "<tests>";

// A line with a `// safe: why` comment on it or just above may use the words marked so in the
// message.
const std::vector<BannedWord>& banned_words() {
  static const std::vector<BannedWord> kWords = {
      {"assert(", "CHECK (base/check.h): it is always on"},
      {"std::cout", "fmt::print in apps, the log elsewhere", {"src/apps/", kTestCode}},
      {"std::cerr", "the log", {"src/apps/", kTestCode}},
      {"printf(", "fmt::print"},
      {"sprintf(", "fmt::format"},
      {"snprintf(", "fmt::format_to", {kTestCode}},
      // Threads have owners: the pool, the engine's loop, HTTP I/O, the load generator's clients.
      {"std::thread",
       "ThreadPool (base/thread_pool.h)",
       {"src/base/", "src/engine/", "src/server/", "src/apps/", "src/measure/", kTestCode}},
      {"std::jthread", "ThreadPool (base/thread_pool.h)"},
      {"std::async(", "ThreadPool (base/thread_pool.h)"},
      {"rand(", "Philox (base/philox.h): same seed, same value, whatever ran before"},
      // Where requests come in: a request without a seed gets one, and ids must not be guessed.
      {"random_device", "Philox (base/philox.h)", {"src/server/", "src/apps/"}},
      // OpenAI's `created`, and templates that print the date: the only uses of wall time.
      {"system_clock", "Clock (base/clock.h)", {"src/server/", "src/apps/"}},
      {"getenv(", "an argument: only apps reads the environment", {"src/apps/", kTestCode}},
      {"using namespace", "names in full"},
      {"throw", "Result<T> (base/result.h); nothing of ours throws"},
      {"std::regex", "PCRE2 or a few lines by hand: std::regex throws and recurses on long input"},
      // These throw, or say nothing about a bad number.
      {"std::stoi(", "std::from_chars", {kTestCode}},
      {"std::stol(", "std::from_chars", {kTestCode}},
      {"std::stoll(", "std::from_chars", {kTestCode}},
      {"std::stoul(", "std::from_chars", {kTestCode}},
      {"std::stoull(", "std::from_chars", {kTestCode}},
      {"std::stof(", "std::from_chars", {kTestCode}},
      {"std::stod(", "std::from_chars", {kTestCode}},
      {"atoi(", "std::from_chars", {kTestCode}},
      {"atof(", "std::from_chars", {kTestCode}},
      {"strtok(", "std::string_view::find"},
      {"goto", "a function"},
  };
  return kWords;
}

bool is_allowed(const BannedWord& banned, const SourceFile& file) {
  return std::any_of(banned.allowed.begin(), banned.allowed.end(), [&](std::string_view where) {
    return where == kTestCode ? is_test_code(file.path) : file.path.starts_with(where);
  });
}

// The line itself or a comment line just above carries `safe:` and a reason.
bool says_why_safe(const SourceFile& file, size_t line) {
  constexpr std::string_view kMark = "// safe: ";
  return file.lines[line].find(kMark) != std::string::npos ||
         (line > 0 && file.lines[line - 1].find(kMark) != std::string::npos);
}

// Handed to an owner at once: what make_unique cannot do where the constructor is private.
bool is_owned_at_once(const SourceFile& file, size_t line) {
  constexpr std::string_view kOwner = "std::unique_ptr<";
  return file.code[line].find(kOwner) != std::string::npos ||
         (line > 0 && file.code[line - 1].find(kOwner) != std::string::npos);
}

// "new T", "new (place) T"; not "operator new".
bool has_raw_new(std::string_view code) {
  const size_t at = find_word(code, "new");
  if (at == std::string_view::npos) return false;
  return !(at >= 9 && code.substr(at - 9, 9) == "operator ");
}

// "delete p", "delete[] p"; not "= delete;", not "operator delete".
bool has_raw_delete(std::string_view code) {
  const size_t at = find_word(code, "delete");
  if (at == std::string_view::npos) return false;
  if (at >= 9 && code.substr(at - 9, 9) == "operator ") return false;
  size_t next = at + 6;
  while (next < code.size() && code[next] == ' ') ++next;
  return next < code.size() && code[next] != ';' && code[next] != ',' && code[next] != ')';
}

// Any object may be read as characters, and sockaddr is how the system call is spelled.
bool is_cast_to_bytes(std::string_view code) {
  constexpr std::array<std::string_view, 7> kTargets = {
      "<char*",       "<const char*",     "<unsigned char*", "<const unsigned char*",
      "<PCRE2_SPTR>", "<const sockaddr*", "<sockaddr*"};
  return std::any_of(kTargets.begin(), kTargets.end(), [&](std::string_view target) {
    return code.find("reinterpret_cast" + std::string(target)) != std::string_view::npos;
  });
}

// Where bytes become numbers, casts between pointer types are the trade.
bool may_reinterpret(std::string_view path) {
  constexpr std::array<std::string_view, 5> kRooms = {"src/gguf/", "src/quant/", "src/kernels/",
                                                      "src/base/", "bench/"};
  return is_test_code(path) ||
         std::any_of(kRooms.begin(), kRooms.end(),
                     [&](std::string_view room) { return path.starts_with(room); });
}

void check_pointers(const SourceFile& file, size_t line, Violations* found) {
  const std::string& code = file.code[line];
  if (says_why_safe(file, line)) return;
  if (has_raw_new(code) && !is_owned_at_once(file, line)) {
    found->push_back({file.path, line + 1, "new: std::make_unique, or // safe: why"});
  }
  if (has_raw_delete(code)) {
    found->push_back({file.path, line + 1, "delete: std::unique_ptr, or // safe: why"});
  }
  if (find_word(code, "reinterpret_cast") != std::string::npos && !is_cast_to_bytes(code) &&
      !may_reinterpret(file.path)) {
    found->push_back({file.path, line + 1, "reinterpret_cast: std::bit_cast, or // safe: why"});
  }
}

bool is_isa_folder(std::string_view path) {
  return path.starts_with("src/kernels/avx2/") || path.starts_with("src/kernels/avx512_vnni/");
}

// "_mm_add_ps", "_mm256_…", "__m512i", "__AVX2__": a word that begins so.
bool has_intrinsic(std::string_view line) {
  constexpr std::array<std::string_view, 7> kPrefixes = {"_mm_",   "_mm256_", "_mm512_", "__m128",
                                                         "__m256", "__m512",  "__AVX"};
  if (line.find("immintrin.h") != std::string_view::npos) return true;
  if (line.find("x86intrin.h") != std::string_view::npos) return true;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) {
    const size_t at = line.find(prefix);
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
    return at != std::string_view::npos && (at == 0 || !is_word(line[at - 1]));
  });
}

std::string comment_of(const std::string& line) {
  const size_t at = line.find("//");
  return at == std::string::npos ? std::string{} : line.substr(at);
}

// Written in two halves so that this file does not break its own rule.
const std::vector<std::string>& machine_traces() {
  static const std::vector<std::string> kTraces = {
      "/ro"
      "ot/",
      "/wo"
      "rk/",
      "pypi"
      ".org",
      "python"
      "hosted.org",
      "registry.npm"
      "js",
      "static.crates"
      ".io",
      "index.crates"
      ".io",
      "proxy.golang"
      ".org",
      "deb.debian"
      ".org",
  };
  return kTraces;
}

}  // namespace

Violations check_banned_words(const SourceTree& tree) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    for (size_t i = 0; i < file.code.size(); ++i) {
      for (const BannedWord& banned : banned_words()) {
        if (find_word(file.code[i], banned.word) == std::string::npos) continue;
        if (is_allowed(banned, file) || says_why_safe(file, i)) continue;
        found.push_back({file.path, i + 1, fmt::format("{}: use {}", banned.word, banned.instead)});
      }
      check_pointers(file, i, &found);
    }
  }
  return found;
}

Violations check_intrinsics(const SourceTree& tree) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!is_cpp(file.path) || !file.path.starts_with("src/") || is_isa_folder(file.path)) continue;
    for (size_t i = 0; i < file.code.size(); ++i) {
      const std::string& line = file.lines[i];
      const bool is_directive = line.starts_with('#');
      if (has_intrinsic(is_directive ? line : file.code[i])) {
        found.push_back({file.path, i + 1, "intrinsics belong in src/kernels/<isa>/"});
      }
    }
  }
  return found;
}

Violations check_todos(const SourceTree& tree) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    if (!is_cpp(file.path)) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const std::string comment = comment_of(file.lines[i]);
      if (find_word(comment,
                    "FIX"
                    "ME") != std::string::npos) {
        found.push_back({file.path, i + 1,
                         "FIX"
                         "ME: fix it, or TODO(#issue)"});
      }
      const size_t todo = find_word(comment,
                                    "TO"
                                    "DO");
      if (todo != std::string::npos && comment.substr(todo + 4, 2) != "(#") {
        found.push_back({file.path, i + 1,
                         "TO"
                         "DO without an issue: TODO(#12)"});
      }
    }
  }
  return found;
}

Violations check_machine_traces(const SourceTree& tree) {
  Violations found;
  for (const SourceFile& file : tree.files()) {
    for (size_t i = 0; i < file.lines.size(); ++i) {
      for (const std::string& trace : machine_traces()) {
        const size_t at = file.lines[i].find(trace);
        if (at == std::string::npos) continue;
        // "build/work/x" is a relative path: an absolute one has no name in front.
        const char before = at == 0 ? ' ' : file.lines[i][at - 1];
        const bool is_relative = trace.front() == '/' &&
                                 (std::isalnum(static_cast<unsigned char>(before)) != 0 ||
                                  std::string_view("._-)}").find(before) != std::string_view::npos);
        if (!is_relative) {
          found.push_back({file.path, i + 1, fmt::format("names one machine's {}", trace)});
        }
      }
    }
  }
  return found;
}

}  // namespace twostroke::tidy
