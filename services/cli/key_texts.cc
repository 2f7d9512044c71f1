#include "services/cli/key_texts.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/cli/text_table.h"
#include "services/common/runtime/printable.h"
#include "services/common/status/exit_status.h"

namespace nightjar::cli {
namespace {

using admin::v1::EngineKey;
using admin::v1::KeyScope;
using google::protobuf::Timestamp;

constexpr std::pair<const char*, KeyScope> kScopes[] = {{"ingest", admin::v1::KEY_SCOPE_INGEST},
                                                        {"alerts", admin::v1::KEY_SCOPE_ALERTS},
                                                        {"admin", admin::v1::KEY_SCOPE_ADMIN}};

std::string ScopeName(int scope) {
  for (const auto& [name, value] : kScopes) {
    if (value == scope) return name;
  }
  return absl::StrCat("scope ", scope);
}

std::string TimeText(bool is_set, const Timestamp& time, const char* otherwise) {
  if (!is_set) return otherwise;
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string State(const EngineKey& key, absl::Time now) {
  if (key.has_revoked_at()) return "revoked";
  const bool expired =
      key.has_expires_at() && absl::FromUnixSeconds(key.expires_at().seconds()) <= now;
  return expired ? "expired" : "valid";
}

// absl knows no days.
bool ParseLifetime(absl::string_view text, absl::Duration* lifetime) {
  const bool days = absl::ConsumeSuffix(&text, "d");
  if (!absl::ParseDuration(days ? absl::StrCat(text, "h") : std::string(text), lifetime)) {
    return false;
  }
  if (days) *lifetime *= 24;
  return *lifetime >= absl::Seconds(1) && *lifetime < absl::InfiniteDuration();
}

}  // namespace

absl::StatusOr<admin::v1::CreateKeyRequest> ToRequest(const NewKey& key) {
  admin::v1::CreateKeyRequest request;
  for (const std::string& name : key.scopes) {
    KeyScope scope = admin::v1::KEY_SCOPE_UNSPECIFIED;
    for (const auto& [known, value] : kScopes) {
      if (name == known) scope = value;
    }
    if (scope == admin::v1::KEY_SCOPE_UNSPECIFIED) {
      return UsageError(
          absl::StrCat("scope is \"", name, "\"; it must be ingest, alerts or admin"));
    }
    request.add_scopes(scope);
  }
  request.set_description(key.description);
  if (key.lifetime.empty()) return request;
  absl::Duration lifetime;
  if (!ParseLifetime(key.lifetime, &lifetime)) {
    return UsageError(
        absl::StrCat("expires is \"", key.lifetime, "\"; write a duration such as 90d or 12h"));
  }
  request.set_lifetime_seconds(static_cast<uint64_t>(absl::ToInt64Seconds(lifetime)));
  return request;
}

std::string KeyTable(const admin::v1::ListKeysResponse& response, absl::Time now) {
  if (response.keys().empty()) return "the engine has no keys\n";
  TextTable table("lllllll");
  table.Row({"KEY", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "DESCRIPTION"});
  for (const EngineKey& key : response.keys()) {
    std::vector<std::string> scopes;
    for (const int scope : key.scopes()) scopes.push_back(ScopeName(scope));
    table.Row({runtime::Printable(key.prefix()), State(key, now), absl::StrJoin(scopes, ","),
               TimeText(key.has_created_at(), key.created_at(), ""),
               TimeText(key.has_expires_at(), key.expires_at(), "never"),
               TimeText(key.has_last_used_at(), key.last_used_at(), "never"),
               runtime::Printable(key.description())});
  }
  return table.ToString();
}

}  // namespace nightjar::cli
