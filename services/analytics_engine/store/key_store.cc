#include "services/analytics_engine/store/key_store.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "openssl/sha.h"
#include "services/analytics_engine/store/random_text.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

constexpr size_t kPrefixBytes = 12;  // "njk_" and 8 of 43 characters
constexpr size_t kKeyTextBytesMax = 256;
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

absl::Status CheckUse(const KeyInfo& key, uint32_t scope, absl::Time now) {
  if (key.expires_at.has_value() && now >= *key.expires_at) {
    return absl::PermissionDeniedError(
        absl::StrCat("API key ", key.prefix, "... expired at ",
                     absl::FormatTime(absl::RFC3339_sec, *key.expires_at, absl::UTCTimeZone())));
  }
  if (scope != kNoScope && (key.scopes & (scope | kAdminScope)) == 0) {
    return absl::PermissionDeniedError(absl::StrCat("API key ", key.prefix,
                                                    "... does not have the scope ",
                                                    scope == kIngestScope ? "ingest" : "alerts"));
  }
  return absl::OkStatus();
}

}  // namespace

struct KeyStore::Statements {
  Statement insert, use, revoke;
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
  std::unique_ptr<KeyStore> store(
      new KeyStore(database, clock,
                   std::make_unique<Statements>(
                       Statements{std::move(insert), std::move(use), std::move(revoke)})));
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
  Statement& insert = statements_->insert;
  insert.Bind(hash).Bind(key.prefix).Bind(scopes).Bind(description);
  insert.Bind(absl::ToUnixMillis(key.created_at));
  if (key.expires_at.has_value()) {
    insert.Bind(absl::ToUnixMillis(*key.expires_at));
  } else {
    insert.BindNull();
  }
  RETURN_IF_ERROR(insert.Run());
  keys_[hash] = key;
  *text = made;
  return key;
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
