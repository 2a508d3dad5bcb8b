#include "measure/history/sqlite_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

namespace twostroke {
namespace {

Error sqlite_error(sqlite3* database, int code, const std::string& path) {
  const char* what = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {ErrorCode::kCorrupt,
              fmt::format("{}: expected an SQLite database, found something else or a damaged one "
                          "({}). It was left as it is: move it away, or name another with "
                          "--runs-db",
                          path, what),
              "runs-db"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kOverloaded,
              fmt::format("{}: another process has kept it locked for too long ({})", path, what),
              "runs-db"};
    case SQLITE_TOOBIG:
      return {ErrorCode::kTooLarge, fmt::format("{}: {}", path, what), "runs-db"};
    default:
      return {ErrorCode::kIo, fmt::format("{}: {}", path, what), "runs-db"};
  }
}

// SQLite would make it readable for everyone; measurements may name private servers.
Status make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return Error{ErrorCode::kIo, fmt::format("cannot open {}: {}", path, std::strerror(errno)),
                 "runs-db"};
  }
  ::close(file);
  return {};
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::bind_int(int parameter, int64_t value) {
  CHECK_EQ(sqlite3_bind_int64(statement_.get(), parameter, value), SQLITE_OK);
}

void SqliteStatement::bind_number(int parameter, std::optional<double> value) {
  const bool is_number = value.has_value() && std::isfinite(*value);
  CHECK_EQ(is_number ? sqlite3_bind_double(statement_.get(), parameter, *value)
                     : sqlite3_bind_null(statement_.get(), parameter),
           SQLITE_OK);
}

void SqliteStatement::bind_text(int parameter, std::string_view text) {
  const int code = sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  CHECK(code == SQLITE_OK || code == SQLITE_TOOBIG);
}

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_error(sqlite3_db_handle(statement_.get()), code, path_);
}

Status SqliteStatement::run() {
  while (TRY(step())) {
  }
  sqlite3_reset(statement_.get());
  return {};
}

int64_t SqliteStatement::int_at(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<double> SqliteStatement::number_at(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_double(statement_.get(), column);
}

std::string SqliteStatement::text_at(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_.get(), column);
  const int num_bytes = sqlite3_column_bytes(statement_.get(), column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(num_bytes)};
}

// close_v2 waits for statements that still exist.
void SqliteDatabase::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Result<SqliteDatabase> SqliteDatabase::open(const std::string& path, bool create,
                                            int busy_timeout_ms) {
  if (create) TRY(make_private_file(path));
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  SqliteDatabase result;
  result.database_.reset(opened);
  result.path_ = path;
  if (code != SQLITE_OK) return sqlite_error(opened, code, path);
  sqlite3_busy_timeout(opened, busy_timeout_ms);
  return result;
}

Status SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(database_.get(), code, path_);
  return {};
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &prepared, nullptr);
  SqliteStatement statement;
  statement.statement_.reset(prepared);
  statement.path_ = path_;
  if (code != SQLITE_OK) return sqlite_error(database_.get(), code, path_);
  return statement;
}

Result<int64_t> SqliteDatabase::query_int(std::string_view sql) {
  SqliteStatement statement = TRY(prepare(sql));
  return TRY(statement.step()) ? statement.int_at(0) : 0;
}

int64_t SqliteDatabase::last_insert_id() const {
  return sqlite3_last_insert_rowid(database_.get());
}

int64_t SqliteDatabase::num_changed() const {
  return sqlite3_changes64(database_.get());
}

Result<SqliteTransaction> SqliteTransaction::begin(SqliteDatabase& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(&database);
}

SqliteTransaction::SqliteTransaction(SqliteTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

SqliteTransaction::~SqliteTransaction() {
  if (database_ == nullptr) return;
  // Nothing can be done about a failure: SQLite rolls back by itself when the file is next opened.
  static_cast<void>(database_->execute("ROLLBACK").ok());
}

Status SqliteTransaction::commit() {
  TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace twostroke
