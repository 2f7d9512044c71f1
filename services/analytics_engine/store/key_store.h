// The API keys: made here, remembered as hashes only.
#ifndef SERVICES_ANALYTICS_ENGINE_STORE_KEY_STORE_H_
#define SERVICES_ANALYTICS_ENGINE_STORE_KEY_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/analytics_engine/store/database.h"
#include "services/common/clock/clock.h"
#include "services/common/config/secret.h"

namespace nightjar::analytics_engine {

inline constexpr size_t kKeysMax = 1000;  // revoked and expired ones too
inline constexpr size_t kKeyDescriptionBytesMax = 200;
inline constexpr absl::Duration kKeyLifetimeMax = absl::Hours(24 * 3653);  // ten years
inline constexpr absl::Duration kKeyUseResolution = absl::Minutes(1);      // of used_at
inline constexpr size_t kKeyTextBytesMin = 24;                             // of a configured key
inline constexpr size_t kKeyTextBytesMax = 256;

// What a key allows; bits.
enum KeyScopes : uint32_t {
  kNoScope = 0,
  kIngestScope = 1,
  kAlertsScope = 2,
  kAdminScope = 4,  // includes the others
};

struct KeyInfo {
  // Names the key: how its text begins, or "config:<name>" where the configuration gave it.
  std::string prefix;
  uint32_t scopes = kNoScope;
  std::string description;
  absl::Time created_at;
  std::optional<absl::Time> expires_at, used_at, revoked_at;
};

// A key whose text somebody else made: kKeyTextBytesMin to kKeyTextBytesMax bytes.
struct ConfiguredKey {
  std::string name;
  config::Secret text;
  uint32_t scopes = kNoScope;
};

// Thread-safe. `database` and `clock` outlive it. Errors as in Statement, and those named below.
class KeyStore {
 public:
  static absl::StatusOr<std::unique_ptr<KeyStore>> Open(Database& database, Clock& clock);
  ~KeyStore();

  // 256 random bits. `lifetime` zero: for ever. `text` is the only copy. kInvalidArgument: no or an
  // unknown scope, a description or lifetime out of its limits. kResourceExhausted: kKeysMax.
  absl::StatusOr<KeyInfo> Create(uint32_t scopes, absl::string_view description,
                                 absl::Duration lifetime, config::Secret* text);

  // Oldest first.
  std::vector<KeyInfo> List() const;

  // Makes these the keys by configuration: new and changed ones are taken, those of before that are
  // not among them are revoked. All of it or nothing. Names and texts are distinct. A text that was
  // known as a key of another name, revoked or not, becomes this key. Gives the names of what
  // changed. kResourceExhausted: kKeysMax.
  struct Changes {
    std::vector<std::string> taken, revoked;
  };
  absl::StatusOr<Changes> SetConfigured(const std::vector<ConfiguredKey>& keys);

  // kNotFound; kFailedPrecondition: revoked already, or a key by configuration, which would give it
  // back.
  absl::StatusOr<KeyInfo> Revoke(const std::string& prefix);

  // Whether the bearer of this text may do `scope` (kNoScope: any valid key may). kUnauthenticated:
  // no such key, or revoked. kPermissionDenied: expired, or another scope. Notes the use.
  absl::StatusOr<KeyInfo> Check(absl::string_view text, uint32_t scope);

 private:
  struct Statements;
  using Keys = std::map<std::string, KeyInfo>;  // by hash
  absl::Status Insert(const std::string& hash, const KeyInfo& key);
  absl::Status Replace(const std::string& hash, const KeyInfo& key, Keys* keys);
  KeyStore(Database& database, Clock& clock, std::unique_ptr<Statements> statements);

  Database& database_;
  Clock& clock_;
  const std::unique_ptr<Statements> statements_;  // guarded by the database's mutex
  Keys keys_;  // the same as in the database; guarded by its mutex
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_STORE_KEY_STORE_H_
