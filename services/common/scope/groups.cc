#include "services/common/scope/groups.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"
#include "services/common/status/status_macros.h"

namespace nightjar::scope {
namespace {

using config::YamlNode;

using AddEntry = std::function<absl::Status(absl::string_view)>;

// A list of texts; null is an empty list.
absl::Status ReadList(const YamlNode& list, const AddEntry& add) {
  if (list.is_null()) return absl::OkStatus();
  if (!list.is_list()) return list.Error("expected a list");
  for (const YamlNode& item : list.items()) {
    if (!item.is_scalar()) return item.Error("expected a text");
    if (const absl::Status status = add(item.scalar()); !status.ok())
      return item.Error(status.message());
  }
  return absl::OkStatus();
}

AddEntry To(network::CidrSet* set) {
  return [set](absl::string_view text) { return set->Add(text); };
}

AddEntry To(network::DomainSet* set) {
  return [set](absl::string_view text) { return set->Add(text); };
}

absl::StatusOr<Group> ParseGroup(const std::string& name, const YamlNode& node) {
  Group group;
  group.name = name;
  if (!node.is_null() && !node.is_map()) return node.Error("expected a group: a map of lists");
  for (const auto& [key, value] : node.entries()) {
    if (key == "label") {
      if (!value.is_null() && !value.is_scalar()) return value.Error("expected a text");
      group.label = value.scalar();
    } else if (key == "in_scope") {
      RETURN_IF_ERROR(ReadList(value, To(&group.in_scope)));
    } else if (key == "out_scope") {
      RETURN_IF_ERROR(ReadList(value, To(&group.out_scope)));
    } else if (key == "trusted_domains") {
      RETURN_IF_ERROR(ReadList(value, To(&group.trusted_domains)));
    } else if (key == "trusted_ips") {
      RETURN_IF_ERROR(ReadList(value, To(&group.trusted_ips)));
    } else {
      return value.Error(absl::StrCat("unknown key \"", key,
                                      "\"; a group has label, in_scope, out_scope, ",
                                      "trusted_domains and trusted_ips"));
    }
  }
  group.every_source = group.in_scope.empty();
  return group;
}

constexpr char kDefaultGroups[] = R"(
groups:
  default:
    label: Default
    in_scope: [10.0.0.0/8, 192.168.0.0/16, 172.16.0.0/12, "fc00::/7"]
    trusted_domains: ["*.arpa", "*.lan", "*.local", "*.internal"]
    trusted_ips: [10.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16,
                  224.0.0.0/8, 255.255.255.255/32, "fc00::/7", "fe80::/10", "ff00::/8"]
)";

}  // namespace

absl::StatusOr<std::vector<Group>> ParseGroups(const YamlNode& root) {
  std::vector<Group> groups;
  if (root.is_null()) return groups;
  if (!root.is_map()) return root.Error("expected a map with the key \"groups\"");
  for (const auto& [key, value] : root.entries()) {
    if (key != "groups")
      return value.Error(absl::StrCat("unknown key \"", key, "\"; expected \"groups\""));
    if (value.is_null()) continue;
    if (!value.is_map()) return value.Error("expected a map of groups by name");
    if (value.entries().size() > kGroupsMax) {
      return value.Error(
          absl::StrCat("at most ", kGroupsMax, " groups, got ", value.entries().size()));
    }
    for (const auto& [name, node] : value.entries()) {
      ASSIGN_OR_RETURN(Group group, ParseGroup(name, node));
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

absl::StatusOr<std::vector<Group>> LoadGroups(const std::string& path) {
  ASSIGN_OR_RETURN(const YamlNode root, YamlNode::ParseFile(path));
  return ParseGroups(root);
}

std::vector<Group> DefaultGroups() {
  auto root = YamlNode::Parse(kDefaultGroups, "built-in scope");
  CHECK(root.ok());
  auto groups = ParseGroups(*root);
  CHECK(groups.ok());
  return *std::move(groups);
}

}  // namespace nightjar::scope
