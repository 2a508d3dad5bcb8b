// Goal: what the scheduler does in each step is written down where a reviewer can read it. Method:
// each *.txt here is a script with the trace of every step behind "->"; the test runs it again and
// compares. `UPDATE_GOLDEN=1` rewrites the files and the diff is what to review.
//
//   pool blocks=8 block_size=4 step_tokens=8 running=4 prefill_with_decode=1000
//   submit A prompt=10 max=2 [same_prefix_as=B:8] [salt=x] [cache=no]
//   cancel A | reset
//   step  -> A[0,8)              tokens [0,8) of A are computed; * samples; "A:hit 8" at its first
//                                chunk after a prefix hit; then who waits for what, who is done,
//                                and the blocks
#include "scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace twostroke {
namespace {

std::vector<std::string> scenario_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(TWOSTROKE_SCENARIO_DIR)) {
    if (entry.path().filename() == "CMakeLists.txt") continue;
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

class ScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, RunsAsWrittenDown) {
  const std::filesystem::path path =
      std::filesystem::path(TWOSTROKE_SCENARIO_DIR) / (GetParam() + ".txt");
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  Scenario scenario;
  std::string expected;
  std::string actual;
  for (std::string line; std::getline(file, line);) {
    expected += line + "\n";
    actual += scenario.run_line(line) + "\n";
  }
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << actual;
  } else {
    EXPECT_EQ(actual, expected) << "UPDATE_GOLDEN=1 rewrites " << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ScenarioTest, testing::ValuesIn(scenario_names()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace twostroke
