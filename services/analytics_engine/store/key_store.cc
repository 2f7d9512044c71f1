#include "services/analytics_engine/store/key_store.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "openssl/sha.h"
#include "services/analytics_engine/store/random_text.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

constexpr size_t kPrefixBytes = 12;        // "njk_" and 8 of 43 characters
constexpr char kConfigured[] = "config:";  // how the prefix of a configured key begins
constexpr uint32_t kAllScopes = kIngestScope | kAlertsScope | kAdminScope;

std::string HashOf(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof(digest)});
}

std::optional<absl::Time> TimeIn(const Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return absl::FromUnixMillis(row.Integer(column));
}

absl::Status CheckWishes(uint32_t scopes, absl::string_view description, absl::Duration lifetime) {
  if (scopes == kNoScope || (scopes & ~kAllScopes) != 0) {
    return absl::InvalidArgumentError("a key needs scopes: ingest, alerts or admin");
  }
  if (description.size() > kKeyDescriptionBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the description is ", description.size(),
                                                   " bytes, at most ", kKeyDescriptionBytesMax));
  }
  if (lifetime < absl::ZeroDuration() || lifetime > kKeyLifetimeMax) {
    return absl::InvalidArgumentError("the lifetime is over ten years");
  }
  return absl::OkStatus();
}

// A key by name or by how it begins.
std::string Named(const KeyInfo& key) {
  return absl::StrCat("API key ", key.prefix,
                      absl::StartsWith(key.prefix, kConfigured) ? "" : "...");
}

absl::Status CheckUse(const KeyInfo& key, uint32_t scope, absl::Time now) {
  if (key.expires_at.has_value() && now >= *key.expires_at) {
    return absl::PermissionDeniedError(
        absl::StrCat(Named(key), " expired at ",
                     absl::FormatTime(absl::RFC3339_sec, *key.expires_at, absl::UTCTimeZone())));
  }
  if (scope != kNoScope && (key.scopes & (scope | kAdminScope)) == 0) {
    return absl::PermissionDeniedError(absl::StrCat(Named(key), " does not have the scope ",
                                                    scope == kIngestScope ? "ingest" : "alerts"));
  }
  return absl::OkStatus();
}

}  // namespace

struct KeyStore::Statements {
  Statement insert, use, revoke, remove;
};

absl::StatusOr<std::unique_ptr<KeyStore>> KeyStore::Open(Database& database, Clock& clock) {
  std::lock_guard<std::mutex> lock(database.mutex());
  ASSIGN_OR_RETURN(
      Statement insert,
      database.Prepare("INSERT INTO keys (hash, prefix, scopes, description, created_ms, "
                       "expires_ms) VALUES (?, ?, ?, ?, ?, ?)"));
  ASSIGN_OR_RETURN(Statement use, database.Prepare("UPDATE keys SET used_ms = ? WHERE hash = ?"));
  ASSIGN_OR_RETURN(Statement revoke,
                   database.Prepare("UPDATE keys SET revoked_ms = ? WHERE hash = ?"));
  ASSIGN_OR_RETURN(Statement remove,
                   database.Prepare("DELETE FROM keys WHERE hash = ? OR prefix = ?"));
  std::unique_ptr<KeyStore> store(
      new KeyStore(database, clock,
                   std::make_unique<Statements>(Statements{std::move(insert), std::move(use),
                                                           std::move(revoke), std::move(remove)})));
  ASSIGN_OR_RETURN(Statement rows,
                   database.Prepare("SELECT hash, prefix, scopes, description, created_ms, "
                                    "expires_ms, used_ms, revoked_ms FROM keys"));
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return store;
    store->keys_[std::string(rows.Text(0))] = {std::string(rows.Text(1)),
                                               static_cast<uint32_t>(rows.Integer(2)),
                                               std::string(rows.Text(3)),
                                               absl::FromUnixMillis(rows.Integer(4)),
                                               TimeIn(rows, 5),
                                               TimeIn(rows, 6),
                                               TimeIn(rows, 7)};
  }
}

KeyStore::KeyStore(Database& database, Clock& clock, std::unique_ptr<Statements> statements)
    : database_(database), clock_(clock), statements_(std::move(statements)) {}

KeyStore::~KeyStore() = default;

absl::StatusOr<KeyInfo> KeyStore::Create(uint32_t scopes, absl::string_view description,
                                         absl::Duration lifetime, config::Secret* text) {
  RETURN_IF_ERROR(CheckWishes(scopes, description, lifetime));
  const config::Secret made(RandomKeyText());
  KeyInfo key;
  key.prefix = made.reveal().substr(0, kPrefixBytes);
  key.scopes = scopes;
  key.description = std::string(description);
  key.created_at = absl::FromUnixMillis(absl::ToUnixMillis(clock_.Now()));
  if (lifetime > absl::ZeroDuration()) key.expires_at = key.created_at + lifetime;
  const std::string hash = HashOf(made.reveal());
  std::lock_guard<std::mutex> lock(database_.mutex());
  if (keys_.size() >= kKeysMax) {
    return absl::ResourceExhaustedError(absl::StrCat("there are ", kKeysMax, " keys already"));
  }
  RETURN_IF_ERROR(Insert(hash, key));
  keys_[hash] = key;
  *text = made;
  return key;
}

absl::Status KeyStore::Insert(const std::string& hash, const KeyInfo& key) {
  Statement& insert = statements_->insert;
  insert.Bind(hash).Bind(key.prefix).Bind(key.scopes).Bind(key.description);
  insert.Bind(absl::ToUnixMillis(key.created_at));
  if (key.expires_at.has_value()) {
    insert.Bind(absl::ToUnixMillis(*key.expires_at));
  } else {
    insert.BindNull();
  }
  return insert.Run();
}

absl::StatusOr<KeyStore::Changes> KeyStore::SetConfigured(const std::vector<ConfiguredKey>& keys) {
  std::lock_guard<std::mutex> lock(database_.mutex());
  const absl::Time now = absl::FromUnixMillis(absl::ToUnixMillis(clock_.Now()));
  Changes changes;
  Keys next = keys_;
  std::set<std::string> wanted;  // hashes
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database_));
  for (const ConfiguredKey& key : keys) {
    const std::string hash = HashOf(key.text.reveal());
    wanted.insert(hash);
    const std::string prefix = kConfigured + key.name;
    const auto known = keys_.find(hash);
    if (known != keys_.end() && known->second.prefix == prefix &&
        known->second.scopes == key.scopes && !known->second.revoked_at.has_value()) {
      continue;
    }
    KeyInfo info;
    info.prefix = prefix;
    info.scopes = key.scopes;
    info.description = "analytics_engine.api_keys";
    info.created_at = now;
    RETURN_IF_ERROR(Replace(hash, info, &next));
    changes.taken.push_back(key.name);
  }
  for (auto& [hash, key] : next) {
    if (!absl::StartsWith(key.prefix, kConfigured) || key.revoked_at.has_value()) continue;
    if (wanted.count(hash) != 0) continue;
    RETURN_IF_ERROR(statements_->revoke.Bind(absl::ToUnixMillis(now)).Bind(hash).Run());
    key.revoked_at = now;
    changes.revoked.push_back(key.prefix.substr(sizeof(kConfigured) - 1));
  }
  if (next.size() > kKeysMax) {
    return absl::ResourceExhaustedError(absl::StrCat("there would be over ", kKeysMax, " keys"));
  }
  RETURN_IF_ERROR(transaction.Commit());
  keys_ = std::move(next);
  return changes;
}

// The text may have had another name, and the name another text.
absl::Status KeyStore::Replace(const std::string& hash, const KeyInfo& key, Keys* keys) {
  RETURN_IF_ERROR(statements_->remove.Bind(hash).Bind(key.prefix).Run());
  for (auto known = keys->begin(); known != keys->end();) {
    const bool same = known->first == hash || known->second.prefix == key.prefix;
    known = same ? keys->erase(known) : std::next(known);
  }
  RETURN_IF_ERROR(Insert(hash, key));
  (*keys)[hash] = key;
  return absl::OkStatus();
}

std::vector<KeyInfo> KeyStore::List() const {
  std::vector<KeyInfo> list;
  {
    std::lock_guard<std::mutex> lock(database_.mutex());
    for (const auto& [hash, key] : keys_) list.push_back(key);
  }
  std::sort(list.begin(), list.end(), [](const KeyInfo& a, const KeyInfo& b) {
    return std::tie(a.created_at, a.prefix) < std::tie(b.created_at, b.prefix);
  });
  return list;
}

absl::StatusOr<KeyInfo> KeyStore::Revoke(const std::string& prefix) {
  std::lock_guard<std::mutex> lock(database_.mutex());
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const auto& entry) { return entry.second.prefix == prefix; });
  if (found == keys_.end()) return absl::NotFoundError("no key begins with " + prefix);
  auto& [hash, key] = *found;
  if (key.revoked_at.has_value()) {
    return absl::FailedPreconditionError("key " + prefix + " is revoked already");
  }
  if (absl::StartsWith(prefix, kConfigured)) {
    return absl::FailedPreconditionError(
        absl::StrCat("key ", prefix, " is given by the configuration: take it out of ",
                     key.description, " and send SIGHUP"));
  }
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(statements_->revoke.Bind(absl::ToUnixMillis(now)).Bind(hash).Run());
  key.revoked_at = now;
  return key;
}

absl::StatusOr<KeyInfo> KeyStore::Check(absl::string_view text, uint32_t scope) {
  const absl::Status unknown =
      absl::UnauthenticatedError(text.empty() ? "an API key is needed" : "unknown API key");
  if (text.empty() || text.size() > kKeyTextBytesMax) return unknown;
  // The look-up by hash takes no time that depends on the secret.
  const std::string hash = HashOf(text);
  std::lock_guard<std::mutex> lock(database_.mutex());
  const auto found = keys_.find(hash);
  if (found == keys_.end() || found->second.revoked_at.has_value()) return unknown;
  KeyInfo& key = found->second;
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(CheckUse(key, scope, now));
  if (!key.used_at.has_value() || now - *key.used_at >= kKeyUseResolution) {
    key.used_at = now;
    // A full disk must not lock out who reads alerts: the note is a convenience.
    statements_->use.Bind(absl::ToUnixMillis(now)).Bind(hash).Run().IgnoreError();
  }
  return key;
}

}  // namespace nightjar::analytics_engine
