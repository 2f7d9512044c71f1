// Masks secrets in URLs before anything else sees them.
#ifndef SERVICES_ES_READER_SCHEMA_REDACT_H_
#define SERVICES_ES_READER_SCHEMA_REDACT_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace nightjar::es_reader {

// Replaces by "***" the password of a user part (user:password@host) and the values of secret
// parameters in the query
// (?token=...; names compared without case after percent-decoding, and `user[password]` is
// `password`). Nothing else of the URL changes. Immutable; thread-safe.
class Redactor {
 public:
  explicit Redactor(const std::vector<std::string>& secret_parameters);

  // True if a secret was there; `url` is changed only then.
  bool Redact(std::string* url) const;

 private:
  bool IsSecret(absl::string_view raw_name) const;
  bool RedactUser(std::string* url) const;
  bool RedactQuery(std::string* url) const;

  absl::flat_hash_set<std::string> names_;  // lower case
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_REDACT_H_
