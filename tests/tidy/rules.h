// Tidy's rules: each takes the tree (or some program's output) and returns what breaks it. They
// know nothing of GoogleTest; tidy_test.cpp runs them on the real tree, rules_test.cpp on small
// fake ones.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source_tree.h"

namespace twostroke::tidy {

using Violations = std::vector<Violation>;

// ---- layers (layer_rules.cpp)
// Room → rooms it may include, from the table with the header `| room | … | may include |`.
using LayerTable = std::map<std::string, std::set<std::string>>;
LayerTable parse_layer_table(const SourceFile& architecture);
// Unit tests may also include the room `testing`.
Violations check_layers(const SourceTree& tree, const LayerTable& table);
Violations check_include_cycles(const SourceTree& tree);
// Every folder of src/ has a row in the table.
Violations check_rooms_are_named(const SourceTree& tree, const LayerTable& table);
// x.cpp beside x.h includes it first: so x.h is shown to be self-contained
// (cmake/header_check.cmake checks the rest).
Violations check_own_header_first(const SourceTree& tree);
// A header of src/ that nothing includes is dead.
Violations check_headers_are_used(const SourceTree& tree);

// ---- sizes (size_rules.cpp)
Violations check_file_lines(const SourceTree& tree, size_t max_lines);
Violations check_columns(const SourceTree& tree, size_t max_columns);
// A function is a brace that opens after a parameter list at namespace or class level; counted from
// the first line of its head to its closing brace. Lambdas count as part of the function around
// them.
Violations check_function_lines(const SourceTree& tree, size_t max_lines);

// ---- words (word_rules.cpp)
Violations check_banned_words(const SourceTree& tree);
// Intrinsics and ISA macros stay in src/kernels/<isa>/.
Violations check_intrinsics(const SourceTree& tree);
// Notes to oneself need an issue number behind them.
Violations check_todos(const SourceTree& tree);
// Nothing that only makes sense on one machine: its paths, the hosts of package registries.
Violations check_machine_traces(const SourceTree& tree);

// ---- documents (doc_rules.cpp)
Violations check_links(const SourceTree& tree);
// Every numbered law of ARCHITECTURE.md names tests ("Tests: `Suite.Name`, `tests/x.py::test_y`")
// and they exist.
Violations check_laws(const SourceTree& tree);
// Every --flag of a command's help text stands in one of the documents.
std::set<std::string> flags_in(std::string_view text);
Violations check_flags_documented(const std::string& command, std::string_view help,
                                  const std::vector<const SourceFile*>& documents);

// ---- symbols (symbol_rules.cpp)
// nm -gC --defined-only of one object file: nothing weak, nothing outside twostroke::<isa>::.
Violations check_isa_symbols(const std::string& object, const std::string& isa,
                             std::string_view nm);

}  // namespace twostroke::tidy
