// Goal: the habits that a machine can check are checked on every run, so that reviews are about
// ideas. Method: every rule of rules.h on the real tree; a failure lists file:line and what to
// write instead.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "rules.h"

namespace twostroke::tidy {
namespace {

constexpr size_t kMaxFileLines = 500;
constexpr size_t kMaxFunctionLines = 70;
constexpr size_t kMaxColumns = 100;

const SourceTree& tree() {
  static const SourceTree kTree = SourceTree::read(TIDY_ROOT);
  return kTree;
}

LayerTable layers() {
  const SourceFile* architecture = tree().find("ARCHITECTURE.md");
  return architecture == nullptr ? LayerTable{} : parse_layer_table(*architecture);
}

void expect_none(const Violations& violations) {
  EXPECT_TRUE(violations.empty()) << violations.size() << " violations\n" << to_text(violations);
}

struct Output {
  int status = -1;
  std::string text;
};

Output run(const std::string& command) {
  const auto close = [](FILE* pipe) { return pclose(pipe); };
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string text;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), n);
  }
  return {.status = close(pipe), .text = std::move(text)};
}

TEST(Tidy, TreeWasFound) {
  ASSERT_GT(tree().files().size(), 50U) << TIDY_ROOT;
}

TEST(Tidy, TableHasEveryRoom) {
  ASSERT_TRUE(layers().contains("base")) << "no table of rooms in ARCHITECTURE.md";
  expect_none(check_rooms_are_named(tree(), layers()));
}

TEST(Tidy, IncludesFollowTheTable) {
  expect_none(check_layers(tree(), layers()));
}
TEST(Tidy, NoIncludeCycles) {
  expect_none(check_include_cycles(tree()));
}
TEST(Tidy, OwnHeaderComesFirst) {
  expect_none(check_own_header_first(tree()));
}
TEST(Tidy, HeadersAreUsed) {
  expect_none(check_headers_are_used(tree()));
}
TEST(Tidy, FilesAreShort) {
  expect_none(check_file_lines(tree(), kMaxFileLines));
}
TEST(Tidy, LinesAreShort) {
  expect_none(check_columns(tree(), kMaxColumns));
}
TEST(Tidy, FunctionsAreShort) {
  expect_none(check_function_lines(tree(), kMaxFunctionLines));
}
TEST(Tidy, NoBannedWords) {
  expect_none(check_banned_words(tree()));
}
TEST(Tidy, IntrinsicsStayInTheirFolders) {
  expect_none(check_intrinsics(tree()));
}
TEST(Tidy, TodosNameAnIssue) {
  expect_none(check_todos(tree()));
}
TEST(Tidy, NoTracesOfOneMachine) {
  expect_none(check_machine_traces(tree()));
}
TEST(Tidy, LinksLeadSomewhere) {
  expect_none(check_links(tree()));
}
TEST(Tidy, LawsNameTheirTests) {
  expect_none(check_laws(tree()));
}

// The list of object files comes from CMake: an archive's members have lost their folders.
TEST(Tidy, IsaSymbolsStayInTheirNamespace) {
  std::ifstream list(TIDY_KERNEL_OBJECTS);
  ASSERT_TRUE(list.is_open()) << TIDY_KERNEL_OBJECTS;
  size_t num_checked = 0;
  for (std::string object; std::getline(list, object);) {
    for (const std::string isa : {"avx2", "avx512_vnni"}) {
      if (object.find("/" + isa + "/") == std::string::npos) continue;
      const Output nm = run("nm -gC --defined-only '" + object + "'");
      ASSERT_EQ(nm.status, 0) << "nm " << object;
      expect_none(check_isa_symbols(object, isa, nm.text));
      ++num_checked;
    }
  }
  EXPECT_GT(num_checked, 0U);
}

// "  serve   OpenAI-compatible server" below "Subcommands:".
std::vector<std::string> subcommands(const std::string& help) {
  std::vector<std::string> names;
  const size_t title = help.find("ubcommands:");
  size_t at = title == std::string::npos ? title : help.find('\n', title);
  while (at != std::string::npos && help.compare(at, 3, "\n  ") == 0) {
    const size_t begin = at + 3;
    if (help[begin] != ' ')
      names.push_back(help.substr(begin, help.find_first_of(" \n", begin) - begin));
    at = help.find('\n', begin);
  }
  return names;
}

TEST(Tidy, EveryFlagIsDocumented) {
  const char* binary = std::getenv("TWOSTROKE_BIN");
  if (binary == nullptr || !std::ifstream(binary).is_open()) {
    GTEST_SKIP() << "TWOSTROKE_BIN names no binary; make test sets it";
  }
  const std::vector<const SourceFile*> documents = {tree().find("README.md"),
                                                    tree().find("docs/cli.md")};
  const std::string quoted = "'" + std::string(binary) + "' ";
  const Output help = run(quoted + "--help");
  ASSERT_EQ(help.status, 0);
  expect_none(check_flags_documented("twostroke", help.text, documents));
  const std::vector<std::string> commands = subcommands(help.text);
  EXPECT_FALSE(commands.empty()) << "no list of subcommands in --help:\n" << help.text;
  for (const std::string& command : commands) {
    const Output text = run(quoted + command + " --help");
    EXPECT_EQ(text.status, 0) << command;
    expect_none(check_flags_documented("twostroke " + command, text.text, documents));
  }
}

}  // namespace
}  // namespace twostroke::tidy
