#include "services/common/signals/lists.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/network/domain.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::signals {
namespace {

using telemetry::v1::Event;

// For messages: enough of a line to find it.
constexpr size_t kQuotedBytesMax = 80;

}  // namespace

absl::StatusOr<std::shared_ptr<const ListSet>> ListSet::Load(const std::vector<ListFile>& files) {
  if (files.size() > kListsMax) {
    return ConfigError(
        absl::StrCat("scoring.lists: at most ", kListsMax, " lists, got ", files.size()));
  }
  auto lists = std::make_shared<ListSet>();
  lists->files_ = files;
  lists->networks_.resize(files.size());
  for (size_t i = 0; i < files.size(); ++i) RETURN_IF_ERROR(lists->LoadFile(i));
  return std::shared_ptr<const ListSet>(std::move(lists));
}

absl::Status ListSet::LoadFile(size_t index) {
  const std::string& path = files_[index].path;
  const std::string where = absl::StrCat("list \"", files_[index].name, "\": ", path);
  std::ifstream file(path);
  if (!file) return ConfigError(absl::StrCat(where, ": cannot be read: ", std::strerror(errno)));
  std::string line;
  size_t bytes = 0;
  for (size_t number = 1; std::getline(file, line); ++number) {
    bytes += line.size() + 1;
    if (bytes > kListFileBytesMax) {
      return ConfigError(absl::StrCat(where, ": longer than ", kListFileBytesMax >> 20, " MiB"));
    }
    absl::string_view entry = line;
    entry = absl::StripAsciiWhitespace(entry.substr(0, entry.find('#')));
    if (entry.empty()) continue;
    if (++entries_ > kListEntriesMax) {
      return ConfigError(absl::StrCat(where, ":", number, ": all lists together hold more than ",
                                      kListEntriesMax, " entries"));
    }
    if (!AddLine(entry, index).ok()) {
      return ConfigError(absl::StrCat(
          where, ":", number, ": expected a domain, *.domain, an address or a CIDR network, got \"",
          entry.substr(0, kQuotedBytesMax), "\""));
    }
  }
  if (file.bad())
    return ConfigError(absl::StrCat(where, ": cannot be read: ", std::strerror(errno)));
  return absl::OkStatus();
}

absl::Status ListSet::AddLine(absl::string_view entry, size_t index) {
  const Mask bit = Mask{1} << index;
  if (const auto address = network::Address::Parse(entry)) {
    addresses_[*address] |= bit;
    return absl::OkStatus();
  }
  if (absl::StrContains(entry, '/')) return networks_[index].Add(entry);
  const bool below = absl::ConsumePrefix(&entry, "*.");
  const std::string name = network::NormalizeDomain(entry);
  if (!network::IsHostName(name)) return absl::InvalidArgumentError("no host name");
  DomainLists& lists = domains_[name];
  (below ? lists.below : lists.exact) |= bit;
  return absl::OkStatus();
}

void ListSet::Find(const Facts& facts, std::vector<Hit>* hits) const {
  Mask found = 0;
  const Event& event = facts.event;
  absl::string_view what = "host";
  if (event.has_dns()) what = "dns query";
  if (event.has_http()) what = "http host";
  if (event.has_tls()) what = "tls server name";
  if (facts.host_address) {
    FindAddress(what, *facts.host_address, &found, hits);
  } else if (!facts.host.empty()) {
    FindDomain(what, facts.host, &found, hits);
  }
  if (facts.destination) FindAddress("destination", *facts.destination, &found, hits);
  if (!event.has_dns()) return;
  for (const auto& answer : event.dns().answers()) {
    if (const auto address = network::Address::Parse(answer.data())) {
      FindAddress("dns answer", *address, &found, hits);
    } else if (answer.type() == "CNAME") {
      FindDomain("dns answer", network::NormalizeDomain(answer.data()), &found, hits);
    }
  }
}

void ListSet::FindDomain(absl::string_view what, absl::string_view name, Mask* found,
                         std::vector<Hit>* hits) const {
  if (domains_.empty()) return;
  absl::string_view rest = name;
  while (true) {
    if (const auto it = domains_.find(rest); it != domains_.end()) {
      if (rest.size() == name.size() && it->second.exact != 0) {
        AddHits(it->second.exact, absl::StrCat(what, " ", name), found, hits);
      }
      if (it->second.below != 0) {
        AddHits(it->second.below, absl::StrCat(what, " ", name, " matches *.", rest), found, hits);
      }
    }
    const size_t dot = rest.find('.');
    if (dot == absl::string_view::npos) return;
    rest.remove_prefix(dot + 1);
  }
}

void ListSet::FindAddress(absl::string_view what, const network::Address& address, Mask* found,
                          std::vector<Hit>* hits) const {
  Mask lists = 0;
  if (const auto it = addresses_.find(address); it != addresses_.end()) lists = it->second;
  for (size_t i = 0; i < networks_.size(); ++i) {
    if (!networks_[i].empty() && networks_[i].Contains(address)) lists |= Mask{1} << i;
  }
  if (lists != 0) AddHits(lists, absl::StrCat(what, " ", address.ToString()), found, hits);
}

void ListSet::AddHits(Mask lists, const std::string& evidence, Mask* found,
                      std::vector<Hit>* hits) const {
  for (size_t i = 0; i < files_.size(); ++i) {
    const Mask bit = Mask{1} << i;
    if ((lists & ~*found & bit) != 0) hits->push_back({&files_[i], evidence});
  }
  *found |= lists;
}

}  // namespace nightjar::signals
