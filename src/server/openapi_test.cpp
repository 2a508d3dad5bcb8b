// Goal: the OpenAPI document says what the code does. Method: its paths against the route table,
// both ways; its request fields against the fields that the sources read, both ways; its
// references.
#include "server/openapi.h"

#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "server/json_text.h"
#include "server/router.h"

namespace twostroke {
namespace {

using json = OrderedJson;

const json& document() {
  static const json kDocument = json::parse(openapi_document());
  return kDocument;
}

// "/v1/models/{id}" as the route table writes it.
std::string as_route(const std::string& path) {
  const size_t open = path.find('{');
  if (open == std::string::npos) return path;
  const size_t close = path.find('}', open);
  const std::string rest = path.substr(close + 1);
  return path.substr(0, open) + (rest.empty() ? "" : "*" + rest);
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

TEST(OpenApi, HasEveryRouteAndNoOther) {
  std::set<std::pair<std::string, std::string>> served, documented;
  for (const Route& route : routes()) served.emplace(lower(route.method), std::string(route.path));
  for (const auto& [path, operations] : document()["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      documented.emplace(method, as_route(path));
      EXPECT_TRUE(operation.contains("operationId")) << path;
      EXPECT_TRUE(operation["responses"].contains("200")) << path;
    }
  }
  EXPECT_EQ(documented, served);
}

void collect_references(const json& value, std::set<std::string>& found) {
  if (!value.is_structured()) return;
  for (const auto& [key, item] : value.items()) {
    if (key == "$ref") {
      found.insert(item.get<std::string>());
    } else {
      collect_references(item, found);
    }
  }
}

TEST(OpenApi, ReferencesLeadSomewhere) {
  std::set<std::string> found;
  collect_references(document(), found);
  constexpr std::string_view kPrefix = "#/components/schemas/";
  for (const std::string& reference : found) {
    ASSERT_TRUE(reference.starts_with(kPrefix)) << reference;
    EXPECT_TRUE(document()["components"]["schemas"].contains(reference.substr(kPrefix.size())))
        << reference;
  }
}

// The names of the top-level fields of every request body.
std::set<std::string> documented_fields() {
  std::set<std::string> fields;
  for (const auto& [name, schema] : document()["components"]["schemas"].items()) {
    if (!name.ends_with("Request")) continue;
    for (const auto& [field, type] : schema["properties"].items()) fields.insert(field);
  }
  return fields;
}

std::string all_sources() {
  std::stringstream text;
  for (const auto& entry : std::filesystem::directory_iterator("src/server")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".cpp") && !name.ends_with("_test.cpp"))
      text << std::ifstream(entry.path()).rdbuf();
  }
  return text.str();
}

// X of each `(body, "X"`: how every field of a request is read.
std::set<std::string> fields_read(const std::string& sources) {
  std::set<std::string> fields;
  constexpr std::string_view kOpening = "(body, \"";
  for (size_t at = 0; (at = sources.find(kOpening, at)) != std::string::npos;) {
    at += kOpening.size();
    fields.insert(sources.substr(at, sources.find('"', at) - at));
  }
  return fields;
}

TEST(OpenApi, HasEveryFieldThatIsReadAndNoOther) {
  const std::string sources = all_sources();
  ASSERT_FALSE(sources.empty()) << "run from the project's folder, as ctest does";
  const std::set<std::string> documented = documented_fields();
  for (const std::string& field : fields_read(sources)) {
    EXPECT_TRUE(documented.contains(field)) << field << " is read but not documented";
  }
  for (const std::string& field : documented) {
    EXPECT_NE(sources.find('"' + field + '"'), std::string::npos)
        << field << " is documented but not read";
  }
}

}  // namespace
}  // namespace twostroke
