#include "services/common/signals/rules.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/common/network/domain.h"
#include "services/common/signals/name_shape.h"

namespace nightjar::signals {
namespace {

// Longer names than people or content networks use: 0.01 % of benign registered
// names and 0.3 % of benign host names (most of them of content networks) reach one of these.
constexpr size_t kLongNameCharacters = 100;
constexpr size_t kLongLabelCharacters = 45;
// ping sends 56 bytes, Windows 32; path MTU probes are rare.
constexpr int64_t kLargeIcmpBytes = 256;
constexpr size_t kShortUserAgentCharacters = 6;

// co.uk, asso.fr, but not cloudfront.net.
constexpr size_t kRegistryLabelCharactersMax = 4;

constexpr uint32_t kEphemeralPortMin = 32768;

// TCP ports that ordinary clients reach on the Internet. Sorted. Ports with a rule of their own are
// here too.
constexpr uint32_t kServicePorts[] = {
    20,   21,   22,   23,   25,   43,   53,   80,   110,  119,  139,   143,   389,  443,  445,
    465,  512,  513,  514,  554,  563,  587,  636,  853,  873,  989,   990,   993,  995,  1194,
    1389, 1723, 1935, 2195, 2197, 3128, 3268, 3269, 3333, 3389, 3478,  3479,  4460, 5060, 5061,
    5222, 5223, 5228, 5229, 5230, 5349, 5555, 5938, 6660, 6661, 6662,  6663,  6664, 6665, 6666,
    6667, 6668, 6669, 6697, 7000, 7777, 8080, 8443, 8883, 9418, 14433, 14444, 19302};

bool Say(std::string* evidence, std::string text) {
  *evidence = std::move(text);
  return true;
}

bool IsUnder(absl::string_view name, std::initializer_list<absl::string_view> domains) {
  return std::any_of(domains.begin(), domains.end(), [name](absl::string_view domain) {
    return absl::EndsWith(name, domain) &&
           (name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.');
  });
}

// Names of reverse look-ups are long and odd by construction.
bool IsJudgeableName(const Facts& facts) {
  return !facts.top_level.empty() && facts.top_level != "arpa" && facts.host != ".";
}

bool IsConnectionToOutside(const Facts& facts, absl::string_view transport) {
  return facts.to_outside && !facts.event.reversed() && facts.event.ip().transport() == transport &&
         facts.event.destination_port() != 0;
}

bool IsToPort(const Facts& facts, std::initializer_list<uint32_t> ports, std::string* evidence) {
  if (!IsConnectionToOutside(facts, "tcp")) return false;
  const uint32_t port = facts.event.destination_port();
  if (std::find(ports.begin(), ports.end(), port) == ports.end()) return false;
  return Say(evidence, absl::StrCat("tcp port ", port, " at ", facts.event.destination_ip()));
}

bool BadTld(const Facts& facts, const RuleSettings& settings, std::string* evidence) {
  return settings.bad_tlds.contains(facts.top_level) &&
         Say(evidence, absl::StrCat(".", facts.top_level));
}

bool LongHostName(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (!IsJudgeableName(facts) || facts.host.size() < kLongLabelCharacters) return false;
  size_t longest = 0;
  for (const absl::string_view label : absl::StrSplit(facts.host, '.'))
    longest = std::max(longest, label.size());
  if (longest >= kLongLabelCharacters)
    return Say(evidence, absl::StrCat("label of ", longest, " characters"));
  return facts.host.size() >= kLongNameCharacters &&
         Say(evidence, absl::StrCat("name of ", facts.host.size(), " characters"));
}

// Only the registrable label counts: content networks use random-looking names below their own. Nor
// do customers' names below a hosting company's (d3a1b2.cloud.example): a suffix of two labels is a
// registry's only when the first is short.
bool RandomHostName(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (!IsJudgeableName(facts)) return false;
  bool any = false;  // cheap look first: the suffix list is asked only when some label is odd
  for (const absl::string_view label : absl::StrSplit(facts.host, '.')) {
    any = any || RandomBits(label) >= kRandomBitsMin;
  }
  if (!any || !network::HasKnownSuffix(facts.host)) return false;
  const std::pair<absl::string_view, absl::string_view> label_and_suffix =
      absl::StrSplit(network::RegistrableDomain(facts.host), absl::MaxSplits('.', 1));
  const auto& [label, suffix] = label_and_suffix;
  const size_t dot = suffix.find('.');
  if (dot != absl::string_view::npos && dot > kRegistryLabelCharactersMax) return false;
  return RandomBits(label) >= kRandomBitsMin &&
         Say(evidence, absl::StrCat("label \"", label, "\""));
}

bool PunycodeHost(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return (absl::StartsWith(facts.host, "xn--") || absl::StrContains(facts.host, ".xn--")) &&
         Say(evidence, facts.host);
}

bool OnionName(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return facts.top_level == "onion" && Say(evidence, facts.host);
}

bool TorGateway(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return IsUnder(facts.host, {"onion.to", "onion.ws", "onion.ly", "onion.pet", "onion.link",
                              "onion.cab", "onion.foundation", "tor2web.org", "tor2web.io"}) &&
         Say(evidence, facts.host);
}

bool OastDomain(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return IsUnder(facts.host,
                 {"oast.fun", "oast.live", "oast.me", "oast.online", "oast.pro", "oast.site",
                  "oastify.com", "interact.sh", "burpcollaborator.net", "dnslog.cn", "ceye.io"}) &&
         Say(evidence, facts.host);
}

bool TelegramBot(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (facts.host != "api.telegram.org") return false;
  // The path of an http event tells bots from people; in dns and tls only the name is seen, which
  // people do not use.
  return (!facts.event.has_http() || absl::StartsWith(facts.url.path, "/bot")) &&
         Say(evidence, facts.host);
}

bool MetadataAnswer(const Facts& facts, const RuleSettings&, std::string* evidence) {
  for (const auto& answer : facts.event.dns().answers()) {
    if (answer.data() == "169.254.169.254") return Say(evidence, "answer 169.254.169.254");
  }
  return false;
}

bool UnusualQueryType(const Facts& facts, const RuleSettings&, std::string* evidence) {
  absl::string_view type = facts.event.dns().query_type();
  bool unusual = type == "NULL";
  absl::ConsumePrefix(&type, "TYPE");
  uint32_t number = 0;
  if (absl::SimpleAtoi(type, &number))
    unusual = number == 10 || number >= 65280;  // NULL, private use
  return unusual && Say(evidence, absl::StrCat("type ", facts.event.dns().query_type()));
}

bool UnusualPort(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (!IsConnectionToOutside(facts, "tcp")) return false;
  const uint32_t port = facts.event.destination_port();
  // An answer taken for a request: a service here, a client's port there.
  const bool answer = port >= kEphemeralPortMin &&
                      std::binary_search(std::begin(kServicePorts), std::end(kServicePorts),
                                         facts.event.source_port());
  if (answer || std::binary_search(std::begin(kServicePorts), std::end(kServicePorts), port))
    return false;
  return Say(evidence, absl::StrCat("tcp port ", port, " at ", facts.event.destination_ip()));
}

bool CleartextProtocol(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return IsToPort(facts, {21, 23, 110, 143, 512, 513, 514}, evidence);
}

bool CredentialsInUrl(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (facts.event.http().url_had_secret())
    return Say(evidence, "a secret was in the URL or its referrer");
  return absl::StrContains(facts.url.user, ':') &&
         Say(evidence, "user and password before the host");
}

bool IpLiteralUrl(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return facts.host_address && facts.to_outside && Say(evidence, facts.host);
}

bool ProgramDownload(const Facts& facts, const RuleSettings&, std::string* evidence) {
  if (!facts.to_outside || facts.event.http().method() != "GET") return false;
  for (const char* ending : {".exe", ".scr", ".dll", ".hta", ".ps1", ".vbs", ".jar", ".elf"}) {
    if (absl::EndsWithIgnoreCase(facts.url.path, ending)) return Say(evidence, std::string(ending));
  }
  return false;
}

bool OldUserAgent(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const absl::string_view agent = facts.event.http().user_agent();
  for (const char* mark :
       {"MSIE 5.", "MSIE 6.", "MSIE 7.", "MSIE 8.", "Windows NT 5.", "Windows 98", "Windows CE"}) {
    if (absl::StrContains(agent, mark)) return Say(evidence, mark);
  }
  return false;
}

bool AttackToolUserAgent(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const absl::string_view agent = facts.event.http().user_agent();
  if (agent.empty()) return false;
  for (const char* mark : {"sqlmap", "Nikto", "Nmap Scripting Engine", "masscan", "zgrab",
                           "gobuster", "DirBuster", "WPScan", "Nuclei", "feroxbuster", "Wfuzz"}) {
    if (absl::StrContains(agent, mark)) return Say(evidence, mark);
  }
  return false;
}

bool ShortUserAgent(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const absl::string_view agent = facts.event.http().user_agent();  // empty: not in the record
  return !agent.empty() && agent.size() < kShortUserAgentCharacters &&
         Say(evidence, std::string(agent));
}

bool ExpiredCertificate(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const auto& tls = facts.event.tls();
  const int64_t time = facts.event.time_unix_nano();
  if (time == 0) return false;
  if (tls.not_after_unix_nano() != 0 && tls.not_after_unix_nano() < time)
    return Say(evidence, "expired");
  return tls.not_before_unix_nano() > time && Say(evidence, "not yet valid");
}

bool SelfSignedCertificate(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const auto& tls = facts.event.tls();
  return !tls.issuer().empty() && tls.issuer() == tls.subject() && Say(evidence, tls.issuer());
}

bool OldTlsVersion(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const std::string& version = facts.event.tls().version();
  return (version == "1.0" || version == "1.1" || version == "3.0" || version == "2.0") &&
         Say(evidence, absl::StrCat("version ", version));
}

bool LargeIcmp(const Facts& facts, const RuleSettings&, std::string* evidence) {
  const auto& icmp = facts.event.icmp();
  const int64_t bytes = std::max(icmp.bytes_in(), icmp.bytes_out());
  return facts.to_outside && bytes >= kLargeIcmpBytes &&
         Say(evidence, absl::StrCat(bytes, " bytes of payload"));
}

template <uint32_t... kPorts>
bool Ports(const Facts& facts, const RuleSettings&, std::string* evidence) {
  return IsToPort(facts, {kPorts...}, evidence);
}

constexpr unsigned kNames = kDns | kHttp | kTls;

}  // namespace

// The comment behind a row is the MITRE ATT&CK technique that it can be a trace of.
const std::vector<Rule>& Rules() {
  static const auto* rules = new std::vector<Rule>{
      {"onion_name", 60, kNames, "a name under .onion outside Tor", OnionName},  // T1090.003
      {"metadata_answer", 60, kDns, "a name that leads to the cloud metadata address",
       MetadataAnswer},                                                           // T1552.005
      {"tor_gateway", 50, kNames, "a web gateway into Tor", TorGateway},          // T1090.003
      {"oast_domain", 50, kNames, "an out-of-band testing service", OastDomain},  // T1190
      {"attack_tool_user_agent", 50, kHttp, "a scanner names itself",
       AttackToolUserAgent},                                                               // T1595
      {"ldap_to_outside", 40, kIp, "LDAP (389, 1389) to the Internet", Ports<389, 1389>},  // T1190
      {"smb_to_outside", 40, kIp, "SMB (139, 445) to the Internet", Ports<139, 445>},      // T1187
      {"large_icmp", 30, kIcmp, "256 bytes of ICMP payload or more to the Internet",
       LargeIcmp},                                                        // T1095
      {"telegram_bot", 30, kNames, "the Telegram bot API", TelegramBot},  // T1102.002
      {"irc_port", 25, kIp, "an IRC port (6660-6669, 6697, 7000)",        // T1071
       Ports<6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6697, 7000>},
      {"mining_port", 25, kIp, "a usual port of mining pools",
       Ports<3333, 5555, 7777, 14433, 14444>},  // T1496
      {"old_user_agent", 25, kHttp, "a browser or system long out of use",
       OldUserAgent},  // T1071.001
      {"random_host_name", 25, kNames, "a registered name that looks random",
       RandomHostName},  // T1568.002
      {"long_host_name", 25, kNames, "a label or name longer than people use",
       LongHostName},  // T1071.004
      {"unusual_query_type", 25, kDns, "query type NULL or of private use",
       UnusualQueryType},                                                  // T1071.004
      {"bad_tld", 20, kNames, "a top-level domain often abused", BadTld},  // T1583.001
      {"ip_literal_url", 20, kHttp, "a URL with a public address for a host",
       IpLiteralUrl},  // T1071.001
      {"program_download", 20, kHttp, "a program fetched over plain HTTP",
       ProgramDownload},  // T1105
      {"expired_certificate", 20, kTls, "a certificate out of its validity",
       ExpiredCertificate},  // T1587.003
      {"self_signed_certificate", 15, kTls, "issuer and subject are the same",
       SelfSignedCertificate},                                                     // T1587.003
      {"credentials_in_url", 15, kHttp, "a secret in the URL", CredentialsInUrl},  // T1552
      {"cleartext_protocol", 15, kIp, "FTP, Telnet, POP3, IMAP or rsh to the Internet",
       CleartextProtocol},  // T1040
      {"short_user_agent", 15, kHttp, "a user agent of under 6 characters",
       ShortUserAgent},  // T1071.001
      {"unusual_port", 10, kIp, "a TCP port that ordinary clients do not use",
       UnusualPort},                                                                      // T1571
      {"old_tls_version", 10, kTls, "SSL, TLS 1.0 or 1.1", OldTlsVersion},                // T1573
      {"punycode_host", 10, kNames, "a name in other letters than ASCII", PunycodeHost},  // T1036
  };
  return *rules;
}

const std::vector<std::string>& DefaultBadTlds() {
  static const auto* names = new std::vector<std::string>{
      "accountant", "autos",  "bar",   "beauty",  "bid",     "boats",  "bond", "buzz",     "cam",
      "cf",         "cfd",    "click", "country", "cricket", "cyou",   "date", "download", "faith",
      "fit",        "ga",     "gdn",   "gq",      "hair",    "icu",    "kim",  "loan",     "makeup",
      "men",        "ml",     "mom",   "monster", "mov",     "party",  "pw",   "quest",    "racing",
      "rest",       "review", "sbs",   "science", "skin",    "stream", "su",   "surf",     "tk",
      "top",        "trade",  "uno",   "webcam",  "win",     "work",   "zip"};
  return *names;
}

}  // namespace nightjar::signals
