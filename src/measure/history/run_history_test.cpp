// What is saved comes back; writers in other processes wait for each other; what is not our file,
// or a damaged one, is refused with its bytes unchanged; older files are migrated, newer ones
// refused.
#include "measure/history/run_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "measure/history/run_schema.h"

namespace twostroke {
namespace {

using ::testing::HasSubstr;

std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

StoredRun example_run() {
  StoredRun run;
  run.created_unix_ms = 1'700'000'000'123;
  run.kind = "load";
  run.label = "before";
  run.target = "http://127.0.0.1:8080";
  run.model = "tiny";
  run.version = "0.1.0";
  run.summary = {.completed = 9, .failed = 1, .duration_s = 2.5, .ttft_p50_ms = 20.25};
  run.summary.ttft_p95_ms = std::numeric_limits<double>::infinity();  // a failure: no number
  run.result_json = R"({"completed":9,"text":"\u0000 and é"})" + std::string("\0x", 2);
  run.request_json = {R"({"index":0})", R"({"index":1})"};
  return run;
}

class RunHistoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("runs_" + std::to_string(getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    path_ = (folder_ / "deeper" / "runs.sqlite").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void make_folder() const {
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
  }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(RunHistoryTest, WhatIsSavedComesBack) {
  const int64_t id = save_run(path_, example_run()).value();
  RunHistory history = RunHistory::open(path_, false).value();
  const StoredRun run = history.find(id).value();
  const StoredRun expected = example_run();
  EXPECT_EQ(run.id, id);
  EXPECT_EQ(run.created_unix_ms, expected.created_unix_ms);
  EXPECT_EQ(run.kind, "load");
  EXPECT_EQ(run.label, "before");
  EXPECT_EQ(run.target, expected.target);
  EXPECT_EQ(run.model, "tiny");
  EXPECT_EQ(run.version, "0.1.0");
  EXPECT_EQ(run.summary.completed, 9);
  EXPECT_EQ(run.summary.failed, 1);
  EXPECT_EQ(run.summary.duration_s, 2.5);
  EXPECT_EQ(run.summary.ttft_p50_ms, 20.25);
  EXPECT_EQ(run.summary.ttft_p95_ms, std::nullopt);
  EXPECT_EQ(run.summary.tpot_mean_ms, std::nullopt);
  EXPECT_EQ(run.result_json, expected.result_json);
  EXPECT_EQ(run.request_json, expected.request_json);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(RunHistoryTest, ListsTheNewestFirstAndFilters) {
  RunHistory history = RunHistory::open(path_).value();
  StoredRun run = example_run();
  for (const char* label : {"a", "b", "a"}) {
    run.label = label;
    ASSERT_TRUE(history.save(run).ok());
  }
  run.kind = "compare";
  run.verdict = "trade-off";
  ASSERT_TRUE(history.save(run).ok());
  const auto all = history.list({}).value();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].id, 4);
  EXPECT_EQ(all[0].verdict, "trade-off");
  EXPECT_TRUE(all[0].result_json.empty());
  EXPECT_EQ(history.list({.label = "a"}).value().size(), 3u);
  EXPECT_EQ(history.list({.kind = "load", .label = "a"}).value().size(), 2u);
  EXPECT_EQ(history.list({.limit = 1}).value().size(), 1u);
  // Not SQL: a value.
  EXPECT_TRUE(history.list({.label = "' OR 1=1 --"}).value().empty());
}

TEST_F(RunHistoryTest, DeletesAllOrNoneAndNeverGivesAnIdAgain) {
  RunHistory history = RunHistory::open(path_).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(history.save(example_run()).ok());
  const Status failed = history.remove({2, 77});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "there is no run 77");
  EXPECT_EQ(history.list({}).value().size(), 3u);
  ASSERT_TRUE(history.remove({2, 3}).ok());
  EXPECT_EQ(history.list({}).value().size(), 1u);
  EXPECT_EQ(history.find(3).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(history.save(example_run()).value(), 4);
}

TEST_F(RunHistoryTest, WritersInManyProcessesLoseNothing) {
  constexpr int kProcesses = 6;
  constexpr int kRunsEach = 10;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < kRunsEach; ++k) {
        if (!save_run(path_, example_run()).ok()) _exit(1);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  RunHistory history = RunHistory::open(path_).value();
  EXPECT_EQ(history.list({.limit = 1000}).value().size(), size_t{kProcesses * kRunsEach});
}

TEST_F(RunHistoryTest, AWriterThatDiesHalfWayLeavesNoHalfRun) {
  ASSERT_TRUE(save_run(path_, example_run()).ok());
  const pid_t child = fork();
  if (child == 0) {
    SqliteDatabase database = SqliteDatabase::open(path_, false, 1000).value();
    SqliteTransaction transaction = SqliteTransaction::begin(database).value();
    const bool wrote = database.execute("DELETE FROM runs; DELETE FROM requests").ok();
    _exit(wrote ? 0 : 1);  // neither committed nor rolled back
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  RunHistory history = RunHistory::open(path_).value();
  EXPECT_EQ(history.find(1).value().request_json.size(), 2u);
}

TEST_F(RunHistoryTest, WhatIsNotADatabaseIsRefusedAndLeftAlone) {
  make_folder();
  const std::string text = "my notes, by accident under this name\n" + std::string(5000, 'x');
  write_file(path_, text);
  const Result<int64_t> saved = save_run(path_, example_run());
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(saved.error().message, HasSubstr(path_));
  EXPECT_THAT(saved.error().message, HasSubstr("--runs-db"));
  EXPECT_EQ(contents_of(path_), text);
}

TEST_F(RunHistoryTest, ADamagedDatabaseIsRefusedAndLeftAlone) {
  {
    RunHistory history = RunHistory::open(path_).value();
    StoredRun run = example_run();
    run.result_json = std::string(100'000, 'j');
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(history.save(run).ok());
  }
  std::string damaged = contents_of(path_);
  ASSERT_GT(damaged.size(), 100'000u);
  // The schema's page, after the file's header.
  for (size_t i = 100; i < 4096; ++i) damaged[i] = static_cast<char>(0xA5);
  write_file(path_, damaged);
  EXPECT_EQ(save_run(path_, example_run()).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(contents_of(path_), damaged);
}

TEST_F(RunHistoryTest, AnotherProgramsDatabaseIsLeftAlone) {
  make_folder();
  SqliteDatabase other = SqliteDatabase::open(path_, true, 1000).value();
  ASSERT_TRUE(other.execute("CREATE TABLE bookmarks(url TEXT)").ok());
  const Result<int64_t> saved = save_run(path_, example_run());
  ASSERT_FALSE(saved.ok());
  EXPECT_EQ(saved.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(saved.error().message, HasSubstr("another program"));
  EXPECT_EQ(other.query_int("SELECT count(*) FROM sqlite_master").value(), 1);
}

TEST_F(RunHistoryTest, OlderFilesAreMigratedAndNewerOnesRefused) {
  make_folder();
  {
    SqliteDatabase old = SqliteDatabase::open(path_, true, 1000).value();
    ASSERT_TRUE(migrate_run_schema(old, 1).ok());
    ASSERT_TRUE(old.execute("INSERT INTO runs(created_unix_ms, kind, label, target, model, version,"
                            " completed, failed, result_json)"
                            " VALUES(5, 'load', '', 'x', 'm', '0.1.0', 1, 0, '{}')")
                    .ok());
  }
  {
    RunHistory history = RunHistory::open(path_).value();
    EXPECT_EQ(history.find(1).value().verdict, "");
    EXPECT_EQ(history.save(example_run()).value(), 2);
  }
  SqliteDatabase newer = SqliteDatabase::open(path_, false, 1000).value();
  EXPECT_EQ(newer.query_int("PRAGMA user_version").value(), newest_run_schema());
  ASSERT_TRUE(newer.execute("PRAGMA user_version = 99").ok());
  const Result<RunHistory> refused = RunHistory::open(path_);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("newer version (schema 99"));
}

TEST_F(RunHistoryTest, ALockThatIsNeverGivenUpIsAnErrorAndNotAWaitForEver) {
  ASSERT_TRUE(save_run(path_, example_run()).ok());
  SqliteDatabase holder = SqliteDatabase::open(path_, false, 0).value();
  SqliteTransaction lock = SqliteTransaction::begin(holder).value();
  SqliteDatabase waiter = SqliteDatabase::open(path_, false, 50).value();
  const auto second = SqliteTransaction::begin(waiter);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kOverloaded);
}

TEST_F(RunHistoryTest, WhereNothingCanBeMadeTheErrorSaysWhere) {
  make_folder();
  write_file(path_, "");
  const std::string below_a_file = path_ + "/runs.sqlite";
  const Result<int64_t> saved = save_run(below_a_file, example_run());
  ASSERT_FALSE(saved.ok());
  EXPECT_THAT(saved.error().message, HasSubstr(path_));
  EXPECT_EQ(RunHistory::open(path_ + ".missing", false).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(save_run(path_, example_run()).ok());  // an empty file is a new database
}

}  // namespace
}  // namespace twostroke
