#include "measure/history/run_schema.h"

#include <fmt/format.h>

#include <array>

namespace twostroke {
namespace {

// Never edited: a file in the field may be at any of these. A change is a new last one.
constexpr std::array<const char*, 2> kMigrations = {
    // 1. AUTOINCREMENT: an id that was deleted is not given again.
    R"sql(
      CREATE TABLE runs(
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        created_unix_ms INTEGER NOT NULL,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        target TEXT NOT NULL,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        completed INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        duration_s REAL,
        ttft_p50_ms REAL,
        ttft_p95_ms REAL,
        tpot_mean_ms REAL,
        itl_p99_ms REAL,
        output_tokens_per_s REAL,
        result_json TEXT NOT NULL);
      CREATE TABLE requests(
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        request_index INTEGER NOT NULL,
        record_json TEXT NOT NULL,
        PRIMARY KEY(run_id, request_index)) WITHOUT ROWID;
    )sql",
    // 2. Comparisons have a verdict.
    "ALTER TABLE runs ADD COLUMN verdict TEXT NOT NULL DEFAULT '';"};

}  // namespace

int newest_run_schema() {
  return static_cast<int>(kMigrations.size());
}

Status migrate_run_schema(SqliteDatabase& database, int version) {
  CHECK(version >= 1 && version <= newest_run_schema());
  if (TRY(database.query_int("PRAGMA user_version")) == version &&
      TRY(database.query_int("PRAGMA application_id")) == kRunsApplicationId) {
    return {};
  }
  SqliteTransaction transaction = TRY(SqliteTransaction::begin(database));
  // Again, under the lock: another process may just have migrated.
  const int64_t found = TRY(database.query_int("PRAGMA user_version"));
  const int64_t owner = TRY(database.query_int("PRAGMA application_id"));
  const int64_t tables = TRY(database.query_int("SELECT count(*) FROM sqlite_master"));
  if (owner != kRunsApplicationId && (owner != 0 || found != 0 || tables != 0)) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: a database of another program; expected a run history. Name "
                             "another file with --runs-db",
                             database.path()),
                 "runs-db"};
  }
  if (found > version) {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{}: made by a newer version (schema {}, this one knows {})",
                             database.path(), found, version),
                 "runs-db"};
  }
  for (int64_t step = found; step < version; ++step) {
    TRY(database.execute(kMigrations[static_cast<size_t>(step)]));
  }
  TRY(database.execute(fmt::format("PRAGMA user_version = {}", version)));
  TRY(database.execute(fmt::format("PRAGMA application_id = {}", kRunsApplicationId)));
  return transaction.commit();
}

}  // namespace twostroke
