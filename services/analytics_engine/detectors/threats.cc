#include "services/analytics_engine/detectors/threats.h"

#include <algorithm>

namespace nightjar::analytics_engine {

const std::vector<Threat>& Threats() {
  static const auto* threats = new std::vector<Threat>{
      {"anon_circuit",
       "Anonymizing circuit setup indicating infection or evasion attempt",
       4,
       {"TA0011:T1090.003"}},
      {"aws_rebinding",
       "Domain resolves to 169.254.169.254 (AWS rebinding attack)",
       4,
       {"TA0006:T1552.005"}},
      {"bad_tld",
       "Traffic to a destination TLD commonly associated with malware",
       1,
       {"TA0042:T1583.001"}},
      {"blocklist", "Traffic to an unknown blocklisted destination", 3, {"TA0011:T1071"}},
      {"c2_communication", "C2 communication attempt indicating infection", 5, {"TA0011:T1071"}},
      {"cryptomining", "Cryptomining indicating infection or resource abuse", 4, {"TA0040:T1496"}},
      {"icmp_tunneling",
       "High volume of outbound ICMP traffic indicating tunneling",
       3,
       {"TA0010:T1048", "TA0011:T1095"}},
      {"imposter_domain",
       "Traffic to a suspicious domain impersonating a known brand",
       4,
       {"TA0001:T1566"}},
      {"irc_activity", "IRC traffic requiring investigation", 3, {"TA0011:T1071"}},
      {"malware_distribution", "Traffic to a known malware distribution site", 4, {"TA0011:T1105"}},
      {"multiple_long_hostnames",
       "Multiple requests to long hostnames indicating DNS tunneling",
       4,
       {"TA0010:T1048", "TA0011:T1071.004", "TA0011:T1572"}},
      {"oast",
       "Traffic to an out-of-band interaction testing domain requiring investigation",
       4,
       {"TA0001:T1190"}},
      {"outbound_port_scan",
       "Outbound TCP port scan indicating hacking tool use or infection",
       4,
       {"TA0007:T1046"}},
      {"outbound_smb", "Suspicious outbound SMB traffic", 1, {"TA0006:T1187"}},
      {"sinkholed_destination",
       "Traffic to a known sinkhole indicating infection",
       4,
       {"TA0011:T1071"}},
      {"telegram_bot",
       "Telegram Bot API traffic indicating possible infection",
       4,
       {"TA0011:T1102.002"}},
      {"unusual_network_port",
       "Traffic to an unusual port requiring investigation",
       2,
       {"TA0011:T1571"}},
  };
  return *threats;
}

const Threat* FindThreat(absl::string_view id) {
  const auto& threats = Threats();
  const auto it = std::lower_bound(
      threats.begin(), threats.end(), id,
      [](const Threat& threat, absl::string_view wanted) { return threat.id < wanted; });
  return it != threats.end() && it->id == id ? &*it : nullptr;
}

}  // namespace nightjar::analytics_engine
