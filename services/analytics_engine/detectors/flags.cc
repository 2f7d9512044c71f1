#include "services/analytics_engine/detectors/flags.h"

#include <algorithm>

namespace nightjar::analytics_engine {

const std::vector<Flag>& Flags() {
  static const auto* flags = new std::vector<Flag>{
      {"anon", "Anonymizing network", "intel"},
      {"bad_tld", "Top-level domain often abused", "traffic"},
      {"bad_ua", "User agent of a tool, or long out of use", "traffic"},
      {"blocklist", "Blocklisted destination", "intel"},
      {"c2", "Command and control", "intel"},
      {"cryptomining", "Mining pool", "intel"},
      {"dropper", "Malware distribution", "intel"},
      {"imposter", "Impersonates a known brand", "intel"},
      {"irc", "IRC", "traffic"},
      {"oast", "Out-of-band application security testing", "intel"},
      {"perplexing_domain", "Registered name that looks random", "traffic"},
      {"perplexing_host", "Host name longer than people use", "traffic"},
      {"sinkholed", "Sinkholed domain or address", "intel"},
      {"tor", "Tor", "traffic"},
      {"unusual_port", "Port that ordinary clients do not use", "traffic"},
  };
  return *flags;
}

const Flag* FindFlag(absl::string_view name) {
  const auto& flags = Flags();
  const auto it = std::lower_bound(
      flags.begin(), flags.end(), name,
      [](const Flag& flag, absl::string_view wanted) { return flag.name < wanted; });
  return it != flags.end() && it->name == name ? &*it : nullptr;
}

}  // namespace nightjar::analytics_engine
