#include "services/analytics_engine/detectors/dns_tunnel.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "prometheus/counter.h"
#include "services/analytics_engine/detectors/dns_exemptions.h"
#include "services/common/network/domain.h"
#include "services/common/signals/name_shape.h"

namespace nightjar::analytics_engine {
namespace {

constexpr char kThreat[] = "multiple_long_hostnames";
constexpr int kSeverity = 4;
constexpr int kSeverityCritical = 5;

constexpr int64_t kDaySeconds = 86'400;

// Secondary signs.
constexpr double kCarrierShare = 0.5;
constexpr double kEncodedShare = 0.5;
constexpr double kMeanLabelBytes = 20;
constexpr size_t kEncodedLabelBytesMin = 16;
// Evidence is kept from this share of the threshold on: before, nearly nothing comes of it.
constexpr uint64_t kSampleBytes = kTunnelBytesHour / 4;

constexpr size_t kNameBytesMax = 254;

// Longest top-level domain that people make up, such as "localdomain" or "site-2".
constexpr size_t kOwnSuffixBytesMax = 15;

bool IsHex(absl::string_view label) {
  return std::all_of(label.begin(), label.end(), absl::ascii_isxdigit);
}

// What tools that use no domain leave in the last place is long, or hexadecimal digits.
bool EndsInSuffix(absl::string_view name) {
  const absl::string_view last = name.substr(name.rfind('.') + 1);
  const bool digits = std::any_of(last.begin(), last.end(), absl::ascii_isdigit);
  const bool chosen = last.size() <= kOwnSuffixBytesMax && !(digits && IsHex(last));
  return chosen || network::HasKnownSuffix(name);
}

// These types answer with data of the owner's choice.
bool IsCarrier(absl::string_view type) {
  for (const char* carrier : {"TXT", "NULL", "CNAME", "MX", "KEY", "SRV"}) {
    if (type == carrier) return true;
  }
  constexpr uint32_t kNull = 10, kPrivateUseMin = 65280;
  uint32_t number = 0;
  return absl::ConsumePrefix(&type, "TYPE") && absl::SimpleAtoi(type, &number) &&
         (number == kNull || number >= kPrivateUseMin);
}

// Without the dots; a byte that the sensor had to write as \DDD counts once.
size_t InformationBytes(absl::string_view subdomain) {
  size_t size = subdomain.size();
  if (absl::StrContains(subdomain, '\\')) size = network::UnescapeDomain(subdomain).size();
  return size - std::count(subdomain.begin(), subdomain.end(), '.');
}

// Hexadecimal or base32, and long enough to tell.
bool IsEncoded(absl::string_view label) {
  if (label.size() < kEncodedLabelBytesMin) return false;
  return IsHex(label) || signals::RandomBits(label) >= signals::kRandomBitsMin;
}

}  // namespace

// One name, taken apart.
struct DnsTunnel::Question {
  Question(const signals::Facts& facts, int64_t seconds) : seconds(seconds) {
    const absl::string_view name = facts.host;
    const bool has_suffix = EndsInSuffix(name);
    const absl::string_view registrable =
        has_suffix ? network::RegistrableDomain(name) : absl::string_view();
    domain = has_suffix ? registrable : absl::string_view(kNoSuffix);
    subdomain = name.substr(0, name.size() - registrable.size());
    bytes = InformationBytes(subdomain);
    carrier = IsCarrier(facts.event.dns().query_type());
  }

  const int64_t seconds;
  absl::string_view domain;     // empty: the name is a suffix itself
  absl::string_view subdomain;  // may end in a dot
  size_t bytes = 0;             // without dots
  bool carrier = false;
};

struct DnsTunnel::Verdict {
  int severity = 0;  // 0: nothing
  uint64_t bytes = 0;
  uint64_t threshold = 0;
  const char* span = nullptr;  // in words
};

DnsTunnel::DnsTunnel(Folding& folding, metrics::Metrics& metrics)
    : folding_(folding),
      budget_{kTunnelNameSlotsMax},
      askers_(kTunnelSourcesMax),
      evictions_(metrics.counter("nightjar_engine_detector_evictions_total",
                                 "Entries forgotten because a detector's memory was full.",
                                 {{"detector", "dns_tunnel"}})),
      domain_evictions_(metrics.counter("nightjar_engine_detector_evictions_total",
                                        "Entries forgotten because a detector's memory was full.",
                                        {{"detector", "dns_tunnel_domains"}})),
      exempt_(metrics.counter("nightjar_engine_dns_tunnel_skipped_total",
                              "DNS events that the tunnel detector leaves alone.",
                              {{"reason", "exempt_domain"}})) {}

void DnsTunnel::Evaluate(const signals::Facts& facts, const Source& source, int64_t seconds,
                         const std::string& index, std::vector<Finding>* findings) {
  // Longer names cannot have been asked; those of reverse look-ups are long by construction.
  if (facts.host.size() > kNameBytesMax || facts.top_level == "arpa") return;
  const Question question(facts, seconds);
  if (question.domain.empty() || question.bytes == 0) return;
  if (IsExemptFromTunnels(question.domain)) return exempt_.Increment();

  const uint64_t evictions_before = askers_.evictions();
  Domain& domain = DomainOf(&askers_.Get(source), question.domain, seconds);
  evictions_.Increment(static_cast<double>(askers_.evictions() - evictions_before));
  Count(question, &domain);
  if (domain.hour.total() < kSampleBytes && domain.day.total() < kSampleBytes) return;
  KeepSample(facts.event, index, &domain.samples);
  askers_.HoldEvidence(source);

  const Verdict verdict = Judge(domain);
  if (verdict.severity == 0) return;
  const uint64_t count = folding_.Admit(source, kThreat, domain.name, verdict.severity, seconds);
  if (count == 0) return;
  findings->push_back(Describe(domain, verdict));
  findings->back().count = count;
  domain.samples.clear();
}

DnsTunnel::Domain& DnsTunnel::DomainOf(Asker* asker, absl::string_view name, int64_t seconds) {
  std::vector<Domain>& domains = asker->domains;
  const auto is_old = [seconds](const Domain& domain) {
    return std::abs(seconds - domain.newest) >= kDaySeconds;
  };
  const auto known = std::find_if(domains.begin(), domains.end(),
                                  [name](const Domain& domain) { return domain.name == name; });
  if (known != domains.end() && !is_old(*known)) return *known;

  Domain fresh(budget_);
  fresh.name = std::string(name);
  fresh.newest = seconds;
  if (known != domains.end()) return *known = std::move(fresh);
  if (domains.size() < kTunnelDomainsMax) return domains.emplace_back(std::move(fresh));
  const auto least =
      std::min_element(domains.begin(), domains.end(), [&is_old](const Domain& a, const Domain& b) {
        return std::make_pair(!is_old(a), a.rank) < std::make_pair(!is_old(b), b.rank);
      });
  if (!is_old(*least)) {
    fresh.rank = least->rank;
    domain_evictions_.Increment();
  }
  return *least = std::move(fresh);
}

void DnsTunnel::Count(const Question& question, Domain* domain) {
  domain->newest = std::max(domain->newest, question.seconds);
  if (!domain->names.Insert(HashText(question.subdomain), question.seconds)) return;
  domain->hour.Add(question.seconds, static_cast<uint32_t>(question.bytes));
  domain->day.Add(question.seconds, static_cast<uint32_t>(question.bytes));
  domain->rank += question.bytes;
  absl::string_view longest;
  for (const absl::string_view label : absl::StrSplit(question.subdomain, '.')) {
    if (label.size() > longest.size()) longest = label;
  }
  ++domain->distinct;
  domain->carriers += question.carrier ? 1 : 0;
  domain->encoded += IsEncoded(longest) ? 1 : 0;
  domain->label_bytes += longest.size();
}

DnsTunnel::Verdict DnsTunnel::Judge(const Domain& domain) {
  const double names = domain.distinct;
  const int signs = (domain.carriers >= kCarrierShare * names ? 1 : 0) +
                    (domain.encoded >= kEncodedShare * names ? 1 : 0) +
                    (static_cast<double>(domain.label_bytes) >= kMeanLabelBytes * names ? 1 : 0);
  const uint64_t hour = domain.hour.total();
  const uint64_t hour_threshold = signs >= 2 ? kTunnelBytesHourWithSigns : kTunnelBytesHour;
  if (hour >= hour_threshold) {
    const int severity = hour >= kTunnelBytesHourCritical ? kSeverityCritical : kSeverity;
    return {severity, hour, hour_threshold, "within an hour"};
  }
  const uint64_t day = domain.day.total();
  if (day >= kTunnelBytesDay && signs >= 1)
    return {kSeverity, day, kTunnelBytesDay, "within a day"};
  return {};
}

Finding DnsTunnel::Describe(const Domain& domain, const Verdict& verdict) {
  Finding finding;
  finding.threat = kThreat;
  finding.severity = verdict.severity;
  finding.detection = "dns_tunnel";
  finding.key = domain.name;
  if (domain.name != kNoSuffix) finding.domain = domain.name;
  finding.flags = {"perplexing_host"};
  finding.evidence.measure = absl::StrCat(
      "bytes of distinct names under ", domain.name, " ", verdict.span, " (", domain.distinct,
      " names, longest labels of ", domain.label_bytes / domain.distinct, " bytes on average, ",
      domain.carriers * 100 / domain.distinct, "% asked for TXT, NULL, CNAME, MX or alike)");
  finding.evidence.value = static_cast<int64_t>(verdict.bytes);
  finding.evidence.threshold = static_cast<int64_t>(verdict.threshold);
  finding.evidence.samples = domain.samples;
  return finding;
}

}  // namespace nightjar::analytics_engine
