#include "services/analytics_engine/detectors/rules.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/analytics_engine/detectors/contact.h"
#include "services/common/network/domain.h"

namespace nightjar::analytics_engine {
namespace {

using signals::kDns;
using signals::kHttp;
using signals::kIcmp;
using signals::kIp;
using signals::kTls;

constexpr unsigned kNames = kDns | kHttp | kTls;

unsigned TypeOf(const telemetry::v1::Event& event) {
  switch (event.body_case()) {
    case telemetry::v1::Event::kDns:
      return kDns;
    case telemetry::v1::Event::kIp:
      return kIp;
    case telemetry::v1::Event::kHttp:
      return kHttp;
    case telemetry::v1::Event::kTls:
      return kTls;
    case telemetry::v1::Event::kIcmp:
      return kIcmp;
    default:
      return 0;
  }
}

std::string KeyOf(const signals::Facts& facts, RuleKey key) {
  if (key == RuleKey::kPort) {
    return absl::StrCat(facts.event.ip().transport(), "/", facts.event.destination_port());
  }
  const absl::string_view domain = network::RegistrableDomain(facts.host);
  if (!domain.empty()) return std::string(domain);
  return facts.host.empty() ? facts.event.destination_ip() : facts.host;
}

bool MayBeAnswered(const telemetry::v1::Event& event) {
  const ContactOutcome outcome = OutcomeOf(event);
  return outcome == ContactOutcome::kAnswered || outcome == ContactOutcome::kUnknown;
}

// One matched row.
struct Match {
  const char* threat = nullptr;
  int severity = 0;
  const char* flag = nullptr;
  const char* detection = nullptr;
  std::string key;
};

bool MatchSignal(const signals::Facts& facts, const telemetry::v1::Signal& signal, Match* match) {
  const unsigned type = TypeOf(facts.event);
  const auto& rules = SignalRules();
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const SignalRule& row) {
    return (row.types & type) != 0 && row.signal == signal.name();
  });
  if (rule == rules.end()) return false;
  // A port nobody answered at was not used, only tried: that is for the scan detector.
  if (rule->key == RuleKey::kPort && !MayBeAnswered(facts.event)) return false;
  *match = {rule->threat, rule->severity, rule->flag, "signal", KeyOf(facts, rule->key)};
  return true;
}

bool MatchRow(const signals::Facts& facts, const telemetry::v1::Signal& signal, Match* match) {
  absl::string_view list = signal.name();
  if (!absl::ConsumePrefix(&list, "list:")) return MatchSignal(facts, signal, match);
  const ListRule& rule = FindListRule(list);
  *match = {rule.threat, rule.severity, rule.flag, "list", KeyOf(facts, RuleKey::kDomain)};
  return true;
}

void Add(const signals::Facts& facts, const telemetry::v1::Signal& signal, Match match,
         std::vector<Finding>* findings, size_t first) {
  const auto same =
      std::find_if(findings->begin() + first, findings->end(),
                   [&match](const Finding& finding) { return finding.threat == match.threat; });
  if (same != findings->end() && same->severity >= match.severity) return;
  Finding& finding = same == findings->end() ? findings->emplace_back() : *same;
  finding.threat = match.threat;
  finding.severity = match.severity;
  finding.detection = match.detection;
  finding.key = std::move(match.key);
  finding.domain = std::string(network::RegistrableDomain(facts.host));
  finding.evidence.measure = signal.evidence().empty()
                                 ? signal.name()
                                 : absl::StrCat(signal.name(), ": ", signal.evidence());
  finding.evidence.value = 1;
  finding.evidence.threshold = 1;
}

}  // namespace

const std::vector<SignalRule>& SignalRules() {
  static const auto* rules = new std::vector<SignalRule>{
      {"metadata_answer", kDns, "aws_rebinding", 4, nullptr, RuleKey::kDomain},
      {"oast_domain", kNames, "oast", 4, "oast", RuleKey::kDomain},
      {"telegram_bot", kHttp, "telegram_bot", 4, nullptr, RuleKey::kDomain},
      // The name alone does not tell a bot from a program of the company's own.
      {"telegram_bot", kDns | kTls, "telegram_bot", 2, nullptr, RuleKey::kDomain},
      // Typed or clicked by people too, unlike the circuits that lists know.
      {"onion_name", kNames, "anon_circuit", 3, "tor", RuleKey::kDomain},
      {"tor_gateway", kNames, "anon_circuit", 3, "tor", RuleKey::kDomain},
      {"irc_port", kIp, "irc_activity", 3, "irc", RuleKey::kPort},
      {"ldap_to_outside", kIp, "unusual_network_port", 3, "unusual_port", RuleKey::kPort},
      {"mining_port", kIp, "unusual_network_port", 2, "unusual_port", RuleKey::kPort},
      {"unusual_port", kIp, "unusual_network_port", 2, "unusual_port", RuleKey::kPort},
      // One large echo is no volume yet.
      {"large_icmp", kIcmp, "icmp_tunneling", 2, nullptr, RuleKey::kDomain},
      {"smb_to_outside", kIp, "outbound_smb", 1, nullptr, RuleKey::kPort},
      {"bad_tld", kNames, "bad_tld", 1, "bad_tld", RuleKey::kDomain},
      {"random_host_name", kNames, nullptr, 0, "perplexing_domain", RuleKey::kDomain},
      {"long_host_name", kNames, nullptr, 0, "perplexing_host", RuleKey::kDomain},
      {"attack_tool_user_agent", kHttp, nullptr, 0, "bad_ua", RuleKey::kDomain},
      {"old_user_agent", kHttp, nullptr, 0, "bad_ua", RuleKey::kDomain},
  };
  return *rules;
}

const std::vector<ListRule>& ListRules() {
  static const auto* rules = new std::vector<ListRule>{
      {"c2", "c2_communication", 5, "c2"},
      {"sinkhole", "sinkholed_destination", 4, "sinkholed"},
      {"imposter", "imposter_domain", 4, "imposter"},
      {"cryptomining", "cryptomining", 4, "cryptomining"},
      {"dropper", "malware_distribution", 4, "dropper"},
      {"malware_distribution", "malware_distribution", 4, "dropper"},
      {"oast", "oast", 4, "oast"},
      {"tor", "anon_circuit", 4, "anon"},
      {"anon", "anon_circuit", 4, "anon"},
      {"blocklist", "blocklist", 3, "blocklist"},
  };
  return *rules;
}

const ListRule& FindListRule(absl::string_view list) {
  const auto& rules = ListRules();
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [list](const ListRule& row) { return row.list == list; });
  return rule == rules.end() ? rules.back() : *rule;
}

void ApplyRules(const signals::Facts& facts, const telemetry::v1::Score& score,
                std::vector<Finding>* findings) {
  const size_t first = findings->size();
  std::vector<std::string> flags;
  for (const telemetry::v1::Signal& signal : score.signals()) {
    Match match;
    if (!MatchRow(facts, signal, &match)) continue;
    if (match.flag != nullptr) flags.emplace_back(match.flag);
    if (match.threat != nullptr) Add(facts, signal, std::move(match), findings, first);
  }
  if (findings->size() == first) return;
  std::sort(flags.begin(), flags.end());
  flags.erase(std::unique(flags.begin(), flags.end()), flags.end());
  for (size_t i = first; i < findings->size(); ++i) (*findings)[i].flags = flags;
}

}  // namespace nightjar::analytics_engine
