#include "services/analytics_engine/store/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/store/schema.h"
#include "services/common/status/check.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "sqlite3.h"

namespace nightjar::analytics_engine {
namespace {

// Only a person with the sqlite3 tool can hold the lock: the state folder has one owner.
constexpr int kBusyTimeoutMs = 5000;

constexpr char kSettings[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA journal_size_limit = 67108864;"  // bytes the log keeps after it was emptied
    "PRAGMA temp_store = MEMORY;"            // the state folder is the only one that may be written
    "PRAGMA trusted_schema = OFF;";

absl::Status Error(sqlite3* database) {
  const std::string text = absl::StrCat("database: ", sqlite3_errmsg(database));
  switch (sqlite3_errcode(database)) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return absl::UnavailableError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    default:
      return absl::InternalError(text);
  }
}

absl::Status CannotUse(const std::string& path, absl::string_view problem) {
  return ConfigError(absl::StrCat(
      "cannot use ", path, ": ", problem,
      ". Correct analytics_engine.database or data.dir, or move the file away to start anew"));
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      statement_(std::exchange(other.statement_, nullptr)),
      bound_(other.bound_) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::Bind(absl::string_view value) {
  CHECK(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::BindNull() {
  CHECK(sqlite3_bind_null(statement_, ++bound_) == SQLITE_OK);
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  const absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : Error(database_);
  Reset();
  if (!status.ok()) return status;
  return false;
}

absl::Status Statement::Run() {
  ASSIGN_OR_RETURN(const bool row, Step());
  CHECK(!row);
  return absl::OkStatus();
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  bound_ = 0;
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

absl::string_view Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  // SQLite would leave the mode to the umask; its log files take the mode of the file.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return CannotUse(path, std::strerror(errno));
  close(fd);
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(handle));
  if (code != SQLITE_OK) return CannotUse(path, sqlite3_errmsg(handle));
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  absl::Status status = database->Execute(kSettings);
  if (status.ok()) status = database->Migrate();
  if (!status.ok()) return CannotUse(path, status.message());
  return database;
}

Database::~Database() { sqlite3_close(database_); }

absl::StatusOr<Statement> Database::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return Error(database_);
  }
  return Statement(database_, statement);
}

absl::Status Database::Execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) {
    return absl::OkStatus();
  }
  return Error(database_);
}

absl::Status Database::Migrate() {
  int64_t version = 0;
  {
    ASSIGN_OR_RETURN(Statement get, Prepare("PRAGMA user_version"));
    ASSIGN_OR_RETURN(const bool row, get.Step());
    CHECK(row);
    version = get.Integer(0);
  }
  const int64_t newest = std::size(kMigrations);
  if (version > newest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "its schema is version ", version, ", made by a newer Nightjar; this one knows ", newest));
  }
  for (; version < newest; ++version) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(*this));
    RETURN_IF_ERROR(Execute(kMigrations[version]));
    RETURN_IF_ERROR(Execute(absl::StrCat("PRAGMA user_version = ", version + 1).c_str()));
    RETURN_IF_ERROR(transaction.Commit());
  }
  return absl::OkStatus();
}

absl::StatusOr<Transaction> Transaction::Begin(Database& database) {
  RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // A failed commit may have rolled back already; then this one says so, and there is no more to
  // do.
  if (database_ != nullptr) database_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  RETURN_IF_ERROR(database_->Execute("COMMIT"));
  database_ = nullptr;
  return absl::OkStatus();
}

}  // namespace nightjar::analytics_engine
