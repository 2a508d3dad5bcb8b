// The history of measured runs: one SQLite file, any number of processes. A run is stored whole or
// not at all; a file that is damaged or not ours is refused and never changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "measure/history/sqlite_database.h"

namespace twostroke {

// What `runs list` shows; unknown stays empty. Milliseconds are those of request_metrics.h.
struct RunSummary {
  int64_t completed = 0;
  int64_t failed = 0;
  std::optional<double> duration_s = {};
  std::optional<double> ttft_p50_ms = {};
  std::optional<double> ttft_p95_ms = {};
  std::optional<double> tpot_mean_ms = {};
  std::optional<double> itl_p99_ms = {};
  std::optional<double> output_tokens_per_s = {};
};

struct StoredRun {
  int64_t id = 0;  // given when it is saved; never used twice
  int64_t created_unix_ms = 0;
  std::string kind;    // "load", "compare", "explain"
  std::string label;   // what the user calls it; may be empty
  std::string target;  // what was measured: a URL, or two
  std::string model;
  std::string version;  // of twostroke
  std::string verdict;  // of a comparison
  RunSummary summary;
  std::string result_json;                // the result, as the command's --json prints it
  std::vector<std::string> request_json;  // one JSON object per request, in order; may be empty
};

struct RunFilter {
  std::string kind = {};   // empty: all
  std::string label = {};  // empty: all
  int64_t limit = 50;
};

constexpr size_t kMaxResultBytes = size_t{256} << 20;
constexpr size_t kMaxStoredRequests = 2'000'000;

class RunHistory {
 public:
  // Opens the file, making it and its folders when `create`; brings an older one up to date.
  // kCorrupt: not a database, or damaged. kUnsupported: made by a newer version, or by another
  // program. kNotFound: not there and not `create`.
  static Result<RunHistory> open(const std::string& path, bool create = true);

  Result<int64_t> save(const StoredRun& run);  // its id
  // Newest first, without result_json and request_json.
  Result<std::vector<StoredRun>> list(const RunFilter& filter);
  Result<StoredRun> find(int64_t id);  // kNotFound
  // All or, when one does not exist, none.
  Status remove(const std::vector<int64_t>& ids);

 private:
  explicit RunHistory(SqliteDatabase database) : database_(std::move(database)) {}
  SqliteDatabase database_;
};

// Open, save, close.
Result<int64_t> save_run(const std::string& path, const StoredRun& run);

}  // namespace twostroke
