// The engine's SQLite file: opening, schema, statements, transactions.
#ifndef SERVICES_ANALYTICS_ENGINE_STORE_DATABASE_H_
#define SERVICES_ANALYTICS_ENGINE_STORE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

namespace nightjar::analytics_engine {

// A prepared statement. Values are bound in order, texts are copied. Not thread-safe: use it under
// the database's mutex. Errors: kResourceExhausted (disk full), kUnavailable (I/O), kDataLoss
// (damaged file), kInternal; each with SQLite's words.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  ~Statement();

  Statement& Bind(int64_t value);
  Statement& Bind(absl::string_view value);
  Statement& BindNull();

  // True: there is a row to read. False: done, and the statement is ready for new values.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();
  // Gives up the rows that are left.
  void Reset();

  // Of the row that Step found; texts live until the next Step or Reset. NULL reads as 0 and "".
  int64_t Integer(int column) const;
  absl::string_view Text(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Database;
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}

  sqlite3* database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

// One connection: write-ahead log, every commit synced to disk. Thread-safe only as far as callers
// hold `mutex()` around everything else. Outlives its statements.
class Database {
 public:
  // Creates the file (0600) and brings its schema up to date. Errors carry exit code 78 and name
  // the path: it cannot be opened, is damaged, or was made by a newer version.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::mutex& mutex() { return mutex_; }
  absl::StatusOr<Statement> Prepare(const char* sql);
  absl::Status Execute(const char* sql);

 private:
  explicit Database(sqlite3* database) : database_(database) {}
  absl::Status Migrate();

  sqlite3* const database_;
  std::mutex mutex_;
};

// Rolls back at the end unless committed. Under the database's mutex.
class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  ~Transaction();
  // Durable once it returned OK.
  absl::Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // null: ended
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_STORE_DATABASE_H_
