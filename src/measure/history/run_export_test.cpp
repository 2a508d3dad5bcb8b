// Exported runs are read back by a JSON parser and a CSV reader of their own: nothing is lost or
// mistaken for a separator or a formula.
#include "measure/history/run_export.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace twostroke {
namespace {

// RFC 4180, read character by character.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      rows.back().back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rows.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      if (i + 1 < text.size()) rows.emplace_back(1);
    } else {
      rows.back().back() += c;
    }
  }
  return rows;
}

StoredRun awkward_run() {
  StoredRun run;
  run.id = 3;
  run.created_unix_ms = 1'700'000'000'999;
  run.kind = "load";
  run.label = "a, \"quoted\"\nlabel";
  run.target = "=HYPERLINK(1)";
  run.summary.ttft_p50_ms = 0.1;
  run.result_json = R"({"x":1})";
  run.request_json = {R"({"index":0,"ttft_ms":1.5,"chunks":[1,2]})",
                      R"({"index":1,"error":"timeout, slow","ok":false})", "not json"};
  return run;
}

TEST(RunExport, DatesAreUtc) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(1'700'000'000'999), "2023-11-14T22:13:20Z");
  EXPECT_EQ(utc_text(951'827'696'000), "2000-02-29T12:34:56Z");
  EXPECT_EQ(utc_text(-1), "1969-12-31T23:59:59Z");
}

TEST(RunExport, CsvOfRunsReadsBack) {
  const std::vector<StoredRun> runs = {awkward_run()};
  const auto rows = read_csv(runs_as_csv(runs));
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(rows[0].size(), rows[1].size());
  EXPECT_EQ(rows[1][3], "a, \"quoted\"\nlabel");
  EXPECT_EQ(rows[1][4], "'=HYPERLINK(1)");
  EXPECT_EQ(rows[0][11], "ttft_p50_ms");
  EXPECT_EQ(rows[1][11], "0.1");
  EXPECT_EQ(rows[1][12], "");  // unknown
}

TEST(RunExport, CsvOfRequestsHasEveryScalarOfAnyRequest) {
  const std::vector<StoredRun> runs = {awkward_run()};
  const auto rows = read_csv(requests_as_csv(runs));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"run_id", "index", "ttft_ms", "error", "ok"}));
  EXPECT_EQ(rows[1], (std::vector<std::string>{"3", "0", "1.5", "", ""}));
  EXPECT_EQ(rows[2], (std::vector<std::string>{"3", "1", "", "timeout, slow", "false"}));
}

TEST(RunExport, JsonHoldsTheResultAsJson) {
  const nlohmann::ordered_json out = run_as_json(awkward_run(), true);
  EXPECT_EQ(out["result"]["x"], 1);
  EXPECT_EQ(out["requests"].size(), 3u);
  EXPECT_EQ(out["requests"][2], "not json");
  EXPECT_TRUE(out["ttft_p95_ms"].is_null());
  EXPECT_FALSE(run_as_json(awkward_run(), false).contains("requests"));
}

}  // namespace
}  // namespace twostroke
