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

// One value of a YAML document, with the file, line and path it stands at. Cheap to copy;
// immutable; thread-safe. Files are limited to 1 MiB, 64 levels, 100,000 values and paths of 512
// bytes; aliases, anchors and tags are refused, and so is a second document.
class YamlNode {
 public:
  // An absent value, as after a key without one.
  YamlNode() = default;

  // `file` is only for messages. kInvalidArgument (exit code 78) says "config.yml:12:3: ..." and
  // what is wrong, also for a key that stands twice. No text at all is an absent value.
  static absl::StatusOr<YamlNode> Parse(absl::string_view text, const std::string& file);
  // The same for a file, also when it cannot be read.
  static absl::StatusOr<YamlNode> ParseFile(const std::string& path);

  bool is_null() const;
  bool is_scalar() const;
  bool is_list() const;
  bool is_map() const;

  const std::string& scalar() const;           // text as written; empty unless is_scalar()
  const std::vector<YamlNode>& items() const;  // empty unless is_list()
  // In file order; empty unless is_map(). The line of an entry's value is the line of its key.
  const std::vector<std::pair<std::string, YamlNode>>& entries() const;

  int line() const;                 // from 1
  const std::string& path() const;  // "inputs.elastic.hosts[0]", empty for the whole document

  // kInvalidArgument (exit code 78): "<file>:<line>: <path>: <problem>".
  absl::Status Error(absl::string_view problem) const;

 private:
  class Builder;
  struct Value;
  explicit YamlNode(std::shared_ptr<const Value> value) : value_(std::move(value)) {}

  std::shared_ptr<const Value> value_;
};

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_YAML_H_
