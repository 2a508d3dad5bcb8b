// The little of SQLite that the run history needs, as Results: a database, a prepared statement, a
// transaction that is rolled back unless it was committed. One thread at a time per object; other
// processes may use the file at the same time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace twostroke {

class SqliteStatement {
 public:
  // Parameters count from 1.
  void bind_int(int parameter, int64_t value);
  void bind_number(int parameter, std::optional<double> value);  // none or not finite: NULL
  void bind_text(int parameter, std::string_view text);          // copied
  // True: a row is there to read. False: done.
  Result<bool> step();
  // Runs it to its end, and makes it ready to be bound again.
  Status run();
  // Columns count from 0.
  int64_t int_at(int column) const;
  std::optional<double> number_at(int column) const;
  std::string text_at(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  std::string path_;
};

class SqliteDatabase {
 public:
  // Makes the file (mode 600) when `create` says so and it is not there. Waits up to
  // busy_timeout_ms for other processes whenever the file is locked.
  static Result<SqliteDatabase> open(const std::string& path, bool create, int busy_timeout_ms);

  // Statements without parameters or results; several, separated by ';'.
  Status execute(const std::string& sql);
  Result<SqliteStatement> prepare(std::string_view sql);
  Result<int64_t> query_int(std::string_view sql);
  int64_t last_insert_id() const;
  int64_t num_changed() const;  // rows, by the last statement
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

// Takes the write lock at once, so that no other writer comes between reading and writing.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> begin(SqliteDatabase& database);
  SqliteTransaction(SqliteTransaction&& other) noexcept;
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();  // rolls back
  Status commit();

 private:
  explicit SqliteTransaction(SqliteDatabase* database) : database_(database) {}
  SqliteDatabase* database_;  // null: over
};

}  // namespace twostroke
