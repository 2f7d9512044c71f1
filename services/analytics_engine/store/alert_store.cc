#include "services/analytics_engine/store/alert_store.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

constexpr char kBookmarkVersion[] = "1-";

int64_t BytesOf(const StoredAlert& alert) {
  return static_cast<int64_t>(alert.event.size() + alert.findings.size());
}

}  // namespace

struct AlertStore::Statements {
  Statement insert, totals, set_totals, oldest, remove, newest, page;
};

absl::StatusOr<std::unique_ptr<AlertStore>> AlertStore::Open(Database& database,
                                                             AlertLimits limits) {
  std::lock_guard<std::mutex> lock(database.mutex());
  ASSIGN_OR_RETURN(Statement store, database.Prepare("SELECT id FROM store"));
  ASSIGN_OR_RETURN(const bool row, store.Step());
  if (!row) return absl::DataLossError("database: table store is empty");
  std::string store_id(store.Text(0));
  ASSIGN_OR_RETURN(
      Statement insert,
      database.Prepare("INSERT INTO alerts (id, created_ms, event_type, severity, threats, event, "
                       "findings, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"));
  ASSIGN_OR_RETURN(Statement totals, database.Prepare("SELECT alerts, bytes FROM totals"));
  ASSIGN_OR_RETURN(Statement set_totals,
                   database.Prepare("UPDATE totals SET alerts = ?, bytes = ?"));
  ASSIGN_OR_RETURN(
      Statement oldest,
      database.Prepare("SELECT sequence, bytes FROM alerts ORDER BY sequence LIMIT 1"));
  ASSIGN_OR_RETURN(Statement remove, database.Prepare("DELETE FROM alerts WHERE sequence = ?"));
  ASSIGN_OR_RETURN(Statement newest,
                   database.Prepare("SELECT seq FROM sqlite_sequence WHERE name = 'alerts'"));
  // The inner query reads the index only, so that a rare severity among many alerts is found fast.
  ASSIGN_OR_RETURN(
      Statement page,
      database.Prepare(
          "SELECT sequence, id, created_ms, event_type, severity, threats, event, findings "
          "FROM alerts WHERE sequence IN (SELECT sequence FROM alerts INDEXED BY "
          "alerts_by_sequence WHERE sequence > ? AND severity >= ? ORDER BY sequence LIMIT ?) "
          "ORDER BY sequence"));
  auto statements = std::make_unique<Statements>(
      Statements{std::move(insert), std::move(totals), std::move(set_totals), std::move(oldest),
                 std::move(remove), std::move(newest), std::move(page)});
  return std::unique_ptr<AlertStore>(
      new AlertStore(database, limits, std::move(store_id), std::move(statements)));
}

AlertStore::AlertStore(Database& database, AlertLimits limits, std::string store_id,
                       std::unique_ptr<Statements> statements)
    : database_(database),
      limits_(limits),
      store_id_(std::move(store_id)),
      statements_(std::move(statements)) {}

AlertStore::~AlertStore() = default;

absl::Status AlertStore::Append(const std::vector<StoredAlert>& alerts, uint64_t* dropped) {
  *dropped = 0;
  std::lock_guard<std::mutex> lock(database_.mutex());
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  int64_t bytes = 0;
  for (const StoredAlert& alert : alerts) {
    RETURN_IF_ERROR(Insert(alert));
    bytes += BytesOf(alert);
  }
  RETURN_IF_ERROR(Account(static_cast<int64_t>(alerts.size()), bytes, dropped));
  return transaction.Commit();
}

absl::Status AlertStore::Insert(const StoredAlert& alert) {
  return statements_->insert.Bind(alert.id)
      .Bind(absl::ToUnixMillis(alert.created))
      .Bind(alert.event_type)
      .Bind(alert.severity)
      .Bind(absl::StrJoin(alert.threats, " "))
      .Bind(alert.event)
      .Bind(alert.findings)
      .Bind(BytesOf(alert))
      .Run();
}

absl::Status AlertStore::Account(int64_t alerts, int64_t bytes, uint64_t* dropped) {
  ASSIGN_OR_RETURN(const bool row, statements_->totals.Step());
  if (!row) return absl::DataLossError("database: table totals is empty");
  alerts += statements_->totals.Integer(0);
  bytes += statements_->totals.Integer(1);
  statements_->totals.Reset();
  while (alerts > static_cast<int64_t>(limits_.alerts_max) ||
         bytes > static_cast<int64_t>(limits_.bytes_max)) {
    ASSIGN_OR_RETURN(const bool found, statements_->oldest.Step());
    if (!found) break;
    const int64_t sequence = statements_->oldest.Integer(0);
    bytes -= statements_->oldest.Integer(1);
    --alerts;
    ++*dropped;
    statements_->oldest.Reset();
    RETURN_IF_ERROR(statements_->remove.Bind(sequence).Run());
  }
  return statements_->set_totals.Bind(alerts).Bind(bytes).Run();
}

absl::StatusOr<AlertPage> AlertStore::Page(absl::string_view follow, int severity_min) {
  std::lock_guard<std::mutex> lock(database_.mutex());
  ASSIGN_OR_RETURN(int64_t position, Position(follow));
  Statement& rows = statements_->page;
  rows.Bind(position).Bind(severity_min).Bind(static_cast<int64_t>(limits_.page_alerts_max) + 1);
  AlertPage page;
  size_t bytes = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    StoredAlert alert{std::string(rows.Text(1)),
                      absl::FromUnixMillis(rows.Integer(2)),
                      std::string(rows.Text(3)),
                      static_cast<int>(rows.Integer(4)),
                      absl::StrSplit(rows.Text(5), ' ', absl::SkipEmpty()),
                      std::string(rows.Text(6)),
                      std::string(rows.Text(7))};
    bytes += BytesOf(alert);
    page.more = page.alerts.size() >= limits_.page_alerts_max ||
                (!page.alerts.empty() && bytes > limits_.page_bytes_max);
    if (page.more) break;
    position = rows.Integer(0);
    page.alerts.push_back(std::move(alert));
  }
  rows.Reset();
  page.follow = absl::StrCat(kBookmarkVersion, store_id_, "-", position);
  return page;
}

absl::StatusOr<uint64_t> AlertStore::Count() {
  std::lock_guard<std::mutex> lock(database_.mutex());
  ASSIGN_OR_RETURN(const bool row, statements_->totals.Step());
  if (!row) return absl::DataLossError("database: table totals is empty");
  const uint64_t count = statements_->totals.Integer(0);
  statements_->totals.Reset();
  return count;
}

absl::StatusOr<int64_t> AlertStore::Position(absl::string_view follow) {
  int64_t position = 0;
  const bool ours = absl::ConsumePrefix(&follow, kBookmarkVersion) &&
                    absl::ConsumePrefix(&follow, store_id_) && absl::ConsumePrefix(&follow, "-") &&
                    absl::SimpleAtoi(follow, &position) && position > 0;
  if (!ours) return 0;
  ASSIGN_OR_RETURN(const bool row, statements_->newest.Step());
  const int64_t newest = row ? statements_->newest.Integer(0) : 0;
  statements_->newest.Reset();
  return position <= newest ? position : 0;
}

}  // namespace nightjar::analytics_engine
