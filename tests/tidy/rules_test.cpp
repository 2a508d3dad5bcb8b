// Goal: a rule that never fires protects nothing. Method: each rule is fed a small fake tree with
// one fault and one look-alike that is fine, and must name exactly the fault.
#include "rules.h"

#include <gtest/gtest.h>

namespace twostroke::tidy {
namespace {

constexpr std::string_view kTable =
    "# Architecture\n"
    "| room | what lives there | may include |\n"
    "|---|---|---|\n"
    "| base | basics | – |\n"
    "| quant | bits | base |\n"
    "| kernels | fast | base quant |\n"
    "| engine | loop | all above |\n"
    "| server | HTTP | engine + libraries |\n"
    "| apps | main | all |\n"
    "| testing | fakes | all but server, apps |\n"
    "\n"
    "| room | not this table | may include |\n";

SourceTree make_tree(const std::vector<std::pair<std::string, std::string>>& files) {
  SourceTree tree;
  tree.add("ARCHITECTURE.md", kTable);
  for (const auto& [path, text] : files) tree.add(path, text);
  return tree;
}

LayerTable table() {
  return parse_layer_table(*make_tree({}).find("ARCHITECTURE.md"));
}

std::vector<std::string> places(const Violations& violations) {
  std::vector<std::string> result;
  for (const Violation& v : violations) result.push_back(v.path + ":" + std::to_string(v.line));
  return result;
}

using Places = std::vector<std::string>;

TEST(LayerTable, ReadsListsAllAboveAllAndAllBut) {
  const LayerTable rooms = table();
  ASSERT_EQ(rooms.size(), 7U);
  EXPECT_EQ(rooms.at("kernels"), (std::set<std::string>{"base", "quant"}));
  EXPECT_EQ(rooms.at("engine"), (std::set<std::string>{"base", "quant", "kernels"}));
  EXPECT_EQ(rooms.at("server"), (std::set<std::string>{"engine"}));
  EXPECT_TRUE(rooms.at("apps").contains("server"));
  EXPECT_FALSE(rooms.at("testing").contains("server"));
  EXPECT_TRUE(rooms.at("testing").contains("engine"));
}

TEST(Layers, AnArrowOutsideTheTableIsFound) {
  const SourceTree tree = make_tree({
      {"src/base/a.h", "#include \"engine/e.h\"\n"},
      {"src/engine/e.h", "#include \"base/a.h\"\n#include \"engine/e.h\"\n#include <vector>\n"},
      {"src/quant/q.h", "\n#include \"kernels/k.h\"\n"},
      {"src/kernels/k.h", "#include \"quant/q.h\"\n"},
      {"src/quant/q_test.cpp", "#include \"testing/t.h\"\n#include \"engine/e.h\"\n"},
      {"src/testing/t.h", "#include \"engine/e.h\"\n"},
  });
  EXPECT_EQ(places(check_layers(tree, table())),
            (Places{"src/base/a.h:1", "src/quant/q.h:2", "src/quant/q_test.cpp:2"}));
}

TEST(Layers, AnIncludeThatIsNotThereIsFoundUnlessItIsMadeByTheBuild) {
  const SourceTree tree =
      make_tree({{"src/quant/q.h", "#include \"base/gone.h\"\n#include \"llguidance.h\"\n"}});
  EXPECT_EQ(places(check_layers(tree, table())), Places{"src/quant/q.h:1"});
}

TEST(Layers, ARoomWithoutARowIsFound) {
  const SourceTree tree = make_tree({{"src/attic/a.h", ""}, {"src/base/b.h", ""}});
  const Violations found = check_rooms_are_named(tree, table());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].message.find("src/attic"), std::string::npos);
}

TEST(Layers, ACycleIsFoundOnceAndADiamondIsNone) {
  const SourceTree cycle = make_tree({{"src/base/a.h", "#include \"base/b.h\"\n"},
                                      {"src/base/b.h", "#include \"base/c.h\"\n"},
                                      {"src/base/c.h", "#include \"base/a.h\"\n"}});
  ASSERT_EQ(check_include_cycles(cycle).size(), 1U);
  EXPECT_NE(check_include_cycles(cycle)[0].message.find("src/base/a.h → src/base/b.h → "
                                                        "src/base/c.h → src/base/a.h"),
            std::string::npos);
  const SourceTree diamond =
      make_tree({{"src/base/a.h", "#include \"base/b.h\"\n#include \"base/c.h\"\n"},
                 {"src/base/b.h", "#include \"base/d.h\"\n"},
                 {"src/base/c.h", "#include \"base/d.h\"\n"},
                 {"src/base/d.h", ""}});
  EXPECT_TRUE(check_include_cycles(diamond).empty());
}

TEST(Layers, ASourceThatDoesNotIncludeItsHeaderFirstIsFound) {
  const std::string good = "#include \"base/a.h\"\n#include <vector>\n";
  const std::string late = "#include <vector>\n#include \"base/b.h\"\n";
  const SourceTree tree = make_tree({{"src/base/a.h", ""},
                                     {"src/base/a.cpp", "// Comment.\n" + good},
                                     {"src/base/b.h", ""},
                                     {"src/base/b.cpp", late},
                                     {"src/base/no_header.cpp", late},
                                     {"src/base/c.h", ""},
                                     {"src/base/c.cpp", ""}});
  EXPECT_EQ(places(check_own_header_first(tree)), (Places{"src/base/b.cpp:0", "src/base/c.cpp:0"}));
}

TEST(Layers, AHeaderThatNothingIncludesIsFound) {
  const SourceTree tree = make_tree({{"src/base/dead.h", ""},
                                     {"src/base/used.h", ""},
                                     {"src/base/x.cpp", "#include \"base/used.h\"\n"}});
  EXPECT_EQ(places(check_headers_are_used(tree)), Places{"src/base/dead.h:0"});
}

std::string repeat(const std::string& text, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(Sizes, ALongFileIsFoundAndAGeneratedOneIsNot) {
  const SourceTree tree =
      make_tree({{"src/base/a.cpp", repeat("\n", 11)},
                 {"src/base/b.cpp", repeat("\n", 10)},
                 {"src/base/c.cpp", "// Generated by x.py\n" + repeat("\n", 11)},
                 {"docs/long.md", repeat("\n", 50)}});
  EXPECT_EQ(places(check_file_lines(tree, 10)), Places{"src/base/a.cpp:0"});
}

TEST(Sizes, ColumnsAreCodePointsAndAddressesMayBeLong) {
  const SourceTree tree = make_tree({{"src/base/a.cpp",
                                      "// 1234567\n"   // 10
                                      "// 12345678\n"  // 11
                                      "// → → → →\n"   // 10 code points, more bytes
                                      "// https://example.invalid/a\n"
                                      "#include \"base/a_long_name.h\"\n"
                                      "f(R\"({\"a\": 1,\n"
                                      "      \"b\": 2}\n"
                                      ")\");\n"
                                      "f(\"12345678\");\n"}});
  EXPECT_EQ(places(check_columns(tree, 10)), (Places{"src/base/a.cpp:2", "src/base/a.cpp:9"}));
}

TEST(Sizes, LongFunctionsAreFoundWhereverTheyStand) {
  const std::string five = repeat("  x();\n", 5);
  const SourceTree tree = make_tree({{"src/base/a.cpp",
                                      "namespace a {\n"
                                      "int f(int a,\n"  // 8 lines
                                      "      int b) {\n" +
                                          five +
                                          "}\n"
                                          "\n"
                                          "class C : public D {\n"
                                          " public:\n"
                                          "  // With a comment above.\n"
                                          "  C(int x)\n"  // 10 lines
                                          "      : x_(x), y_{1} {\n"
                                          "    if (x) {\n" +
                                          five +
                                          "    }\n  }\n"
                                          "  void small() { g(); }\n"
                                          "};\n"
                                          "}\n"}});
  EXPECT_EQ(places(check_function_lines(tree, 7)),
            (Places{"src/base/a.cpp:2", "src/base/a.cpp:14"}));
  EXPECT_EQ(places(check_function_lines(tree, 8)), Places{"src/base/a.cpp:14"});
  EXPECT_EQ(places(check_function_lines(tree, 9)), Places{"src/base/a.cpp:14"});
  EXPECT_TRUE(check_function_lines(tree, 10).empty());
}

TEST(Sizes, TablesClassesAndBracesInTextAreNotFunctions) {
  const std::string rows = repeat("    {1, f(2)},\n", 20);
  const SourceTree tree =
      make_tree({{"src/base/a.cpp", "const std::array<int, f(3)> kTable = {\n" + rows +
                                        "};\n"
                                        "\n"
                                        "struct S {\n" +
                                        repeat("  int f();\n", 20) +
                                        "};\n"
                                        "\n"
                                        "// if (x) {\n" +
                                        repeat("\n", 20) + "const char* kText = \"f() {\";\n" +
                                        repeat("\n", 20)}});
  EXPECT_TRUE(check_function_lines(tree, 10).empty());
}

TEST(Words, BannedWordsAreFoundInCodeOnly) {
  const SourceTree tree = make_tree({{"src/base/a.cpp",
                                      "assert(x);\n"
                                      "static_assert(x);\n"
                                      "// assert(x)\n"
                                      "log(\"assert(x)\");\n"
                                      "auto s = R\"(throw)\";\n"
                                      "throw x;\n"
                                      "operand(1); rand();\n"
                                      "using namespace std;\n"
                                      "/* throw\n"
                                      "   throw */ std::cout << 1;\n"}});
  EXPECT_EQ(places(check_banned_words(tree)),
            (Places{"src/base/a.cpp:1", "src/base/a.cpp:6", "src/base/a.cpp:7", "src/base/a.cpp:8",
                    "src/base/a.cpp:10"}));
}

TEST(Words, AllowedPlacesAreAllowed) {
  const std::string text = "std::thread t;\ngetenv(x);\n";
  const SourceTree tree = make_tree({{"src/engine/a.cpp", text},
                                     {"src/model/a.cpp", text},
                                     {"src/apps/a.cpp", text},
                                     {"src/model/a_test.cpp", text}});
  EXPECT_EQ(places(check_banned_words(tree)),
            (Places{"src/engine/a.cpp:2", "src/model/a.cpp:1", "src/model/a.cpp:2"}));
}

TEST(Words, RawNewDeleteAndCastsNeedAReason) {
  const SourceTree tree = make_tree({{"src/model/a.cpp",
                                      "a = new A;\n"
                                      "delete a;\n"
                                      "A(const A&) = delete;\n"
                                      "void* p = ::operator new(n);\n"
                                      "// safe: the constructor is private\n"
                                      "p.reset(new A());\n"
                                      "reinterpret_cast<int*>(p);\n"
                                      "reinterpret_cast<int*>(p);  // safe: made by the allocator\n"
                                      "renew(1);\n"
                                      "reinterpret_cast<const char*>(p);\n"
                                      "std::unique_ptr<A> b(new A());\n"},
                                     {"src/quant/a.cpp", "reinterpret_cast<char*>(p);\n"}});
  EXPECT_EQ(places(check_banned_words(tree)),
            (Places{"src/model/a.cpp:1", "src/model/a.cpp:2", "src/model/a.cpp:7"}));
}

TEST(Words, IntrinsicsOutsideTheirFolderAreFound) {
  const std::string text =
      "#include <immintrin.h>\n#ifdef __AVX2__\n#endif\n__m256 x = _mm256_add_ps(a, "
      "b);\nfoo_mm_bar();\n";
  const SourceTree tree = make_tree({{"src/kernels/avx2/a.cpp", text},
                                     {"src/kernels/a.cpp", text},
                                     {"src/kernels/scalar/a.cpp", "// like _mm256_add_ps\n"}});
  EXPECT_EQ(places(check_intrinsics(tree)),
            (Places{"src/kernels/a.cpp:1", "src/kernels/a.cpp:2", "src/kernels/a.cpp:4"}));
}

TEST(Words, TodosNeedAnIssue) {
  const SourceTree tree = make_tree({{"src/base/a.cpp",
                                      "// TO"
                                      "DO(#12): later\n"
                                      "// TO"
                                      "DO: some day\n"
                                      "// FIX"
                                      "ME\n"
                                      "int todo;\n"}});
  EXPECT_EQ(places(check_todos(tree)), (Places{"src/base/a.cpp:2", "src/base/a.cpp:3"}));
}

TEST(Words, PathsAndHostsOfOneMachineAreFound) {
  const SourceTree tree = make_tree({{"docs/a.md",
                                      "cd /wo"
                                      "rk/main\n"
                                      "cd build/wo"
                                      "rk/main\n"
                                      "see https://pypi"
                                      ".org/x\n"
                                      "~/.cache and /root"
                                      "less/x\n"
                                      "\"/ro"
                                      "ot/.cargo\"\n"}});
  EXPECT_EQ(places(check_machine_traces(tree)),
            (Places{"docs/a.md:1", "docs/a.md:3", "docs/a.md:5"}));
}

TEST(Documents, BrokenRelativeLinksAreFound) {
  const SourceTree tree = make_tree({{"docs/a.md",
                                      "[x](b.md) [y](../README.md#part) [z](gone.md)\n"
                                      "[web](https://example.invalid/gone.md) [here](#there)\n"
                                      "[folder](adr/) [no](../docs/none/)\n"},
                                     {"docs/b.md", ""},
                                     {"docs/adr/1.md", ""},
                                     {"README.md", ""}});
  const Violations found = check_links(tree);
  EXPECT_EQ(places(found), (Places{"docs/a.md:1", "docs/a.md:3"}));
  EXPECT_EQ(found[0].message, "broken link: gone.md");
}

TEST(Documents, ALawWithoutATestOrWithAGoneOneIsFound) {
  SourceTree tree;
  tree.add("ARCHITECTURE.md",
           "## Laws\n"
           "1. **One.** Text\n"
           "   more. Tests: `A.B`, `tests/e2e/test_x.py::test_y`.\n"
           "2. **Two.** No test.\n"
           "3. **Three.** Tests: `A.Gone`, `tests/e2e/test_x.py::test_gone`.\n"
           "\n"
           "## Other\n"
           "1. **Not a law.**\n");
  tree.add("src/a_test.cpp", "TEST_P(A, B) {\n}\n// TEST(A, Gone)\n");
  tree.add("tests/e2e/test_x.py", "def test_y():\n");
  EXPECT_EQ(places(check_laws(tree)),
            (Places{"ARCHITECTURE.md:4", "ARCHITECTURE.md:5", "ARCHITECTURE.md:5"}));
}

TEST(Documents, NoLawsAtAllIsAViolation) {
  SourceTree tree;
  tree.add("ARCHITECTURE.md", "## Laws\n\nNone.\n");
  EXPECT_EQ(check_laws(tree).size(), 1U);
}

TEST(Documents, FlagsAreReadFromHelpAndText) {
  EXPECT_EQ(flags_in("Usage: x [--json] a--b\n  -t,--threads INT --no-mmap=1 `--isa` -- x ---y"),
            (std::set<std::string>{"--json", "--threads", "--no-mmap", "--isa"}));
}

TEST(Documents, AFlagThatNoDocumentNamesIsFound) {
  const SourceTree tree = make_tree({{"README.md", "use `--json`\n"}});
  const Violations found = check_flags_documented("twostroke run", "  --json   x\n  --seed N   y\n",
                                                  {tree.find("README.md"), nullptr});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found[0].message.find("--seed"), std::string::npos);
}

TEST(Symbols, WeakAndForeignSymbolsAreFound) {
  const std::string nm =
      "0000000000000000 T twostroke::avx2::matmul(float const*)\n"
      "0000000000000000 R twostroke::avx2::kTable\n"
      "0000000000000000 W std::vector<float>::~vector()\n"
      "0000000000000000 T helper(int)\n"
      "0000000000000000 T twostroke::avx512_vnni::matmul()\n"
      "0000000000000000 V typeinfo for X\n";
  EXPECT_EQ(check_isa_symbols("a.o", "avx2", nm).size(), 4U);
  EXPECT_TRUE(
      check_isa_symbols("a.o", "avx2", nm.substr(0, nm.find("0000000000000000 W"))).empty());
}

TEST(Stripping, KeepsLinesAndColumns) {
  const std::vector<std::string> code =
      strip_to_code({"a = \"x // y\" + 1'000; // c", "#define X \\", "  throw", "b = '\"'; d"});
  EXPECT_EQ(code, (std::vector<std::string>{"a =          + 1'000;     ", "           ", "       ",
                                            "b =    ; d"}));
}

}  // namespace
}  // namespace twostroke::tidy
