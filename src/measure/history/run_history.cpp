#include "measure/history/run_history.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "measure/history/run_schema.h"

namespace twostroke {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

constexpr const char* kSummaryColumns =
    "id, created_unix_ms, kind, label, target, model, version, verdict, completed, failed, "
    "duration_s, ttft_p50_ms, ttft_p95_ms, tpot_mean_ms, itl_p99_ms, output_tokens_per_s";

StoredRun read_summary(const SqliteStatement& row) {
  StoredRun run;
  run.id = row.int_at(0);
  run.created_unix_ms = row.int_at(1);
  run.kind = row.text_at(2);
  run.label = row.text_at(3);
  run.target = row.text_at(4);
  run.model = row.text_at(5);
  run.version = row.text_at(6);
  run.verdict = row.text_at(7);
  run.summary.completed = row.int_at(8);
  run.summary.failed = row.int_at(9);
  run.summary.duration_s = row.number_at(10);
  run.summary.ttft_p50_ms = row.number_at(11);
  run.summary.ttft_p95_ms = row.number_at(12);
  run.summary.tpot_mean_ms = row.number_at(13);
  run.summary.itl_p99_ms = row.number_at(14);
  run.summary.output_tokens_per_s = row.number_at(15);
  return run;
}

void bind_summary(SqliteStatement& statement, const StoredRun& run) {
  statement.bind_int(1, run.created_unix_ms);
  statement.bind_text(2, run.kind);
  statement.bind_text(3, run.label);
  statement.bind_text(4, run.target);
  statement.bind_text(5, run.model);
  statement.bind_text(6, run.version);
  statement.bind_text(7, run.verdict);
  statement.bind_int(8, run.summary.completed);
  statement.bind_int(9, run.summary.failed);
  statement.bind_number(10, run.summary.duration_s);
  statement.bind_number(11, run.summary.ttft_p50_ms);
  statement.bind_number(12, run.summary.ttft_p95_ms);
  statement.bind_number(13, run.summary.tpot_mean_ms);
  statement.bind_number(14, run.summary.itl_p99_ms);
  statement.bind_number(15, run.summary.output_tokens_per_s);
  statement.bind_text(16, run.result_json);
}

Error no_such_run(int64_t id) {
  return {ErrorCode::kNotFound, fmt::format("there is no run {}", id), "id"};
}

Status check_size(const StoredRun& run) {
  size_t num_bytes = run.result_json.size();
  for (const std::string& request : run.request_json) num_bytes += request.size();
  if (num_bytes > kMaxResultBytes || run.request_json.size() > kMaxStoredRequests) {
    return Error{
        ErrorCode::kTooLarge,
        fmt::format("a run of {} requests and {} bytes is more than the history takes ({} "
                    "and {})",
                    run.request_json.size(), num_bytes, kMaxStoredRequests, kMaxResultBytes),
        "runs-db"};
  }
  return {};
}

}  // namespace

Result<RunHistory> RunHistory::open(const std::string& path, bool create) {
  std::error_code failure;
  if (!create && !std::filesystem::exists(path, failure)) {
    return Error{ErrorCode::kNotFound, fmt::format("no runs yet: {} does not exist", path),
                 "runs-db"};
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (create && !folder.empty()) {
    std::filesystem::create_directories(folder, failure);
    if (failure) {
      return Error{ErrorCode::kIo,
                   fmt::format("cannot make the folder {}: {}", folder.string(), failure.message()),
                   "runs-db"};
    }
  }
  SqliteDatabase database = TRY(SqliteDatabase::open(path, create, kBusyTimeoutMs));
  TRY(migrate_run_schema(database, newest_run_schema()));
  // Readers go on while somebody writes. Set after the file is known to be ours.
  TRY(database.execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON"));
  return RunHistory(std::move(database));
}

Result<int64_t> RunHistory::save(const StoredRun& run) {
  TRY(check_size(run));
  SqliteTransaction transaction = TRY(SqliteTransaction::begin(database_));
  SqliteStatement insert = TRY(database_.prepare(
      "INSERT INTO runs(created_unix_ms, kind, label, target, model, version, verdict, completed, "
      "failed, duration_s, ttft_p50_ms, ttft_p95_ms, tpot_mean_ms, itl_p99_ms, "
      "output_tokens_per_s, result_json) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  bind_summary(insert, run);
  TRY(insert.run());
  const int64_t id = database_.last_insert_id();
  SqliteStatement request = TRY(
      database_.prepare("INSERT INTO requests(run_id, request_index, record_json) VALUES(?,?,?)"));
  for (size_t i = 0; i < run.request_json.size(); ++i) {
    request.bind_int(1, id);
    request.bind_int(2, static_cast<int64_t>(i));
    request.bind_text(3, run.request_json[i]);
    TRY(request.run());
  }
  TRY(transaction.commit());
  return id;
}

Result<std::vector<StoredRun>> RunHistory::list(const RunFilter& filter) {
  SqliteStatement select = TRY(database_.prepare(
      fmt::format("SELECT {} FROM runs WHERE (?1 = '' OR kind = ?1) AND (?2 = '' OR label = ?2) "
                  "ORDER BY id DESC LIMIT ?3",
                  kSummaryColumns)));
  select.bind_text(1, filter.kind);
  select.bind_text(2, filter.label);
  select.bind_int(3, filter.limit);
  std::vector<StoredRun> runs;
  while (TRY(select.step())) runs.push_back(read_summary(select));
  return runs;
}

Result<StoredRun> RunHistory::find(int64_t id) {
  SqliteStatement select = TRY(database_.prepare(
      fmt::format("SELECT {}, result_json FROM runs WHERE id = ?", kSummaryColumns)));
  select.bind_int(1, id);
  if (!TRY(select.step())) return no_such_run(id);
  StoredRun run = read_summary(select);
  run.result_json = select.text_at(16);
  SqliteStatement requests = TRY(database_.prepare(
      "SELECT record_json FROM requests WHERE run_id = ? ORDER BY request_index"));
  requests.bind_int(1, id);
  while (TRY(requests.step())) run.request_json.push_back(requests.text_at(0));
  return run;
}

Status RunHistory::remove(const std::vector<int64_t>& ids) {
  SqliteTransaction transaction = TRY(SqliteTransaction::begin(database_));
  SqliteStatement remove = TRY(database_.prepare("DELETE FROM runs WHERE id = ?"));
  for (const int64_t id : ids) {
    remove.bind_int(1, id);
    TRY(remove.run());
    if (database_.num_changed() == 0) return no_such_run(id);
  }
  return transaction.commit();
}

Result<int64_t> save_run(const std::string& path, const StoredRun& run) {
  RunHistory history = TRY(RunHistory::open(path));
  return history.save(run);
}

}  // namespace twostroke
