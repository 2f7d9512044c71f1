// YAML with places: the only user of yaml-cpp, whose exceptions end here.
#ifndef SERVICES_COMMON_CONFIG_YAML_H_
#define SERVICES_COMMON_CONFIG_YAML_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::config {

// One value of a YAML document, with the file, line and path it stands at. Cheap to copy; immutable; thread-safe.
// Files are limited to 1 MiB, 64 levels and 100,000 values; aliases and tags are refused.
class YamlNode {
 public:
  // An absent value, as after a key without one.
  YamlNode() = default;

  // `file` is only for messages. kInvalidArgument (exit code 78) says "config.yml:12:3: ..." and what is wrong, also for a key that stands twice.
  static absl::StatusOr<YamlNode> Parse(absl::string_view text, const std::string& file);
  // Also kNotFound and kPermissionDenied (exit code 78), naming the path.
  static absl::StatusOr<YamlNode> ParseFile(const std::string& path);

  bool is_null() const;
  bool is_scalar() const;
  bool is_list() const;
  bool is_map() const;

  const std::string& scalar() const;                                   // text as written; empty unless is_scalar()
  const std::vector<YamlNode>& items() const;                          // empty unless is_list()
  const std::vector<std::pair<std::string, YamlNode>>& entries() const;  // in file order; empty unless is_map()

  int line() const;                                                    // from 1
  const std::string& path() const;                                     // "inputs.elastic.hosts[0]"

  // kInvalidArgument (exit code 78): "<file>:<line>: <path>: <problem>".
  absl::Status Error(absl::string_view problem) const;

 private:
  struct Value;
  std::shared_ptr<const Value> value_;
};

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_YAML_H_
