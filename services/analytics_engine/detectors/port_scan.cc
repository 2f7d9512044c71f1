#include "services/analytics_engine/detectors/port_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "prometheus/counter.h"

namespace nightjar::analytics_engine {
namespace {

constexpr char kThreat[] = "outbound_port_scan";
constexpr char kKey[] = "tcp";  // one scan a source, wherever it leads
constexpr int kSeverity = 4;

constexpr int64_t kDaySeconds = 86'400;
constexpr uint32_t kEphemeralPortMin = 32768;

// Threshold random walk: a contact of a benign source is answered with 0.8, one of a scanner with
// 0.2; both kinds of error 0.01.
const double kStep = std::log(0.8 / 0.2);
const double kBound = std::log(0.99 / 0.01);

// Evidence is kept from this share of a threshold on.
constexpr size_t kSampleDivisor = 4;

// Ports that scanners look for because something of worth listens there. Sorted.
constexpr uint32_t kServicePorts[] = {
    21,   22,   23,   25,   53,   81,   88,   110,  111,  135,  139,  143,  389,   445,
    465,  512,  513,  514,  587,  636,  873,  993,  995,  1025, 1080, 1433, 1521,  1723,
    2049, 2375, 3128, 3268, 3306, 3389, 5000, 5060, 5432, 5555, 5900, 5985, 5986,  6000,
    6379, 7001, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9090, 9200, 9300, 11211, 27017};

bool IsServicePort(uint32_t port) {
  return std::binary_search(std::begin(kServicePorts), std::end(kServicePorts), port);
}

bool IsWebPort(uint32_t port) { return port == 80 || port == 443; }

// /20 of IPv4, /48 of IPv6: what one hoster or one site has.
network::Address NetworkOf(const network::Address& address) {
  std::array<uint8_t, 16> bytes = address.bytes();
  const size_t kept = address.is_ipv4() ? 14 : 6;
  if (address.is_ipv4()) bytes[14] &= 0xf0;
  std::fill(bytes.begin() + kept + (address.is_ipv4() ? 1 : 0), bytes.end(), 0);
  return network::Address::FromBytes(bytes);
}

uint64_t HashOf(const network::Address& address, uint64_t seed) {
  return XXH3_64bits_withSeed(address.bytes().data(), address.bytes().size(), seed);
}

// Seeds that keep the members of one set apart; ports are smaller.
constexpr uint64_t kAddressSeed = 0x10000;
constexpr uint64_t kPortsSeed = 0x20000;
constexpr uint64_t kSweepSeed = 0x30000;

void AddDistinct(uint32_t member, size_t members_max, std::vector<uint32_t>* members) {
  if (members->size() >= members_max) return;
  if (std::find(members->begin(), members->end(), member) != members->end()) return;
  members->push_back(member);
}

}  // namespace

struct PortScan::Contact {
  network::Address destination;
  uint32_t port = 0;
  ContactOutcome outcome = ContactOutcome::kUnknown;
  bool known_address = false;  // the source tried another port of it before
  int64_t seconds = 0;

  bool failed() const { return outcome == ContactOutcome::kFailed; }
};

PortScan::PortScan(Folding& folding, metrics::Metrics& metrics)
    : folding_(folding),
      budget_{kScanContactSlotsMax},
      sources_(kScanSourcesMax),
      evictions_(metrics.counter("nightjar_engine_detector_evictions_total",
                                 "Entries forgotten because a detector's memory was full.",
                                 {{"detector", "port_scan"}})) {}

void PortScan::Evaluate(const signals::Facts& facts, const Source& source, int64_t seconds,
                        const std::string& index, std::vector<Finding>* findings) {
  const telemetry::v1::Event& event = facts.event;
  if (event.ip().transport() != "tcp" || !facts.destination || event.destination_port() == 0) {
    return;
  }
  Contact contact{*facts.destination, event.destination_port(), OutcomeOf(event), false, seconds};
  if (contact.outcome == ContactOutcome::kOpen) return;  // its last report will tell
  // An answer taken for a request: from a service to a client's port.
  const bool from_service = event.source_port() != 0 && event.source_port() < kEphemeralPortMin;
  if (contact.port >= kEphemeralPortMin && from_service) return;

  State& state = StateOf(source, seconds);
  if (!state.contacts.Insert(HashOf(contact.destination, contact.port), seconds)) return;
  contact.known_address =
      !state.contacts.Insert(HashOf(contact.destination, kAddressSeed), seconds);

  Evidence evidence;
  bool found = WalkScore(contact, &state, &evidence);
  found = FollowPorts(contact, &state, &evidence) || found;
  found = FollowSweep(contact, &state, &evidence) || found;
  if (!found && !IsSuspect(state, seconds)) return;
  sources_.HoldEvidence(source);
  KeepSample(event, index, &state.samples);
  if (!found) return;
  const uint64_t count = folding_.Admit(source, kThreat, kKey, kSeverity, seconds);
  if (count == 0) return;
  evidence.samples = std::move(state.samples);
  state.samples.clear();
  Finding& finding = findings->emplace_back();
  finding.threat = kThreat;
  finding.severity = kSeverity;
  finding.detection = "port_scan";
  finding.key = kKey;
  finding.count = count;
  finding.evidence = std::move(evidence);
}

PortScan::State& PortScan::StateOf(const Source& source, int64_t seconds) {
  const uint64_t evictions_before = sources_.evictions();
  State& state = sources_.Get(source, budget_);
  evictions_.Increment(static_cast<double>(sources_.evictions() - evictions_before));
  if (std::abs(seconds - state.newest) >= kDaySeconds) {
    state = State(budget_);
    state.newest = seconds;
  }
  state.newest = std::max(state.newest, seconds);
  return state;
}

bool PortScan::IsSuspect(const State& state, int64_t seconds) {
  return state.failed * kSampleDivisor >= kScanFailedMin ||
         std::any_of(state.fan_outs.begin(), state.fan_outs.end(), [&](const FanOut& fan_out) {
           return !fan_out.IsOver(seconds) &&
                  fan_out.members.size() * kSampleDivisor >= kScanSweepMin;
         });
}

void PortScan::ForgetVerdict(State* state) {
  state->score = 0;
  state->failed = 0;
  state->answered = 0;
  state->failed_addresses.clear();
  state->failed_ports.clear();
}

bool PortScan::WalkScore(const Contact& contact, State* state, Evidence* evidence) {
  if (contact.outcome == ContactOutcome::kAnswered) {
    ++state->answered;
    state->score -= kStep;
    if (state->score <= -kBound) ForgetVerdict(state);
    return false;
  }
  // Unreachable web servers are an everyday thing where the way out is closed, and so are peers of
  // file sharing at ports of their own: those are no service ports, and each address has one.
  const bool telling =
      !IsWebPort(contact.port) && (contact.known_address || IsServicePort(contact.port));
  if (!contact.failed() || !telling) return false;
  ++state->failed;
  state->score = std::min(state->score + kStep, kBound);
  AddDistinct(static_cast<uint32_t>(HashOf(contact.destination, kAddressSeed)), kScanFailedMin,
              &state->failed_addresses);
  AddDistinct(contact.port, kScanFailedMin, &state->failed_ports);
  if (state->score < kBound || state->failed < kScanFailedMin) return false;
  evidence->measure = absl::StrCat(
      "first contacts that failed: ", state->failed, " of ", state->failed + state->answered,
      ", at ", state->failed_addresses.size(), " addresses and ", state->failed_ports.size(),
      " ports, last ", contact.destination.ToString(), " tcp/", contact.port);
  evidence->value = static_cast<int64_t>(state->failed);
  evidence->threshold = kScanFailedMin;
  ForgetVerdict(state);
  return true;
}

bool PortScan::FollowPorts(const Contact& contact, State* state, Evidence* evidence) {
  const uint64_t group = HashOf(contact.destination, kPortsSeed);
  const size_t ports = Join(group, contact.port, contact, kScanPortsSeconds, state);
  if (ports < kScanPortsMin) return false;
  evidence->measure = absl::StrCat("ports of ", contact.destination.ToString(),
                                   " tried within a minute, last tcp/", contact.port);
  evidence->value = static_cast<int64_t>(ports);
  evidence->threshold = kScanPortsMin;
  return true;
}

bool PortScan::FollowSweep(const Contact& contact, State* state, Evidence* evidence) {
  const bool web = IsWebPort(contact.port);
  if (web ? !contact.failed() : !IsServicePort(contact.port)) return false;
  const network::Address network = NetworkOf(contact.destination);
  const size_t threshold = web ? kScanWebSweepMin : kScanSweepMin;
  const size_t addresses = Join(HashOf(network, kSweepSeed + contact.port),
                                static_cast<uint32_t>(HashOf(contact.destination, kAddressSeed)),
                                contact, kScanSweepSeconds, state);
  if (addresses < threshold) return false;
  evidence->measure =
      absl::StrCat("addresses in ", network.ToString(), network.is_ipv4() ? "/20" : "/48",
                   " tried at tcp/", contact.port, " within 15 minutes");
  evidence->value = static_cast<int64_t>(addresses);
  evidence->threshold = static_cast<int64_t>(threshold);
  return true;
}

size_t PortScan::Join(uint64_t group, uint32_t member, const Contact& contact, int64_t span,
                      State* state) {
  std::vector<FanOut>& fan_outs = state->fan_outs;
  auto joined = std::find_if(fan_outs.begin(), fan_outs.end(),
                             [group](const FanOut& fan_out) { return fan_out.group == group; });
  if (joined == fan_outs.end() && fan_outs.size() < kFanOutsMax) {
    joined = fan_outs.insert(fan_outs.end(), FanOut());
  } else if (joined == fan_outs.end()) {  // the smallest makes place
    joined = std::min_element(
        fan_outs.begin(), fan_outs.end(), [&contact](const FanOut& a, const FanOut& b) {
          return std::make_tuple(!a.IsOver(contact.seconds), a.members.size(), a.since) <
                 std::make_tuple(!b.IsOver(contact.seconds), b.members.size(), b.since);
        });
    joined->span = 0;
  }
  if (joined->IsOver(contact.seconds)) *joined = {group, contact.seconds, span, {}};
  AddDistinct(member, kScanWebSweepMin, &joined->members);
  return joined->members.size();
}

}  // namespace nightjar::analytics_engine
