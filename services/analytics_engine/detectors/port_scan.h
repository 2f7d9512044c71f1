// Who knocks at many doors: TCP port scans by the outcome of first contacts, and by fan-out.
//
// Outcomes: Threshold Random Walk after Jung, Paxson, Berger and Balakrishnan, "Fast Portscan
// Detection Using Sequential Hypothesis Testing" (2004). Only the first contact of a source with an
// (address, port) counts; failures move its score up, answers down. A verdict of "scanner" is a
// finding once enough contacts failed that a list of dead servers cannot explain it.
// Fan-out: many ports of one address in a minute, or one port of many addresses of a network in a
// quarter of an hour, whatever the outcome.
#ifndef SERVICES_ANALYTICS_ENGINE_DETECTORS_PORT_SCAN_H_
#define SERVICES_ANALYTICS_ENGINE_DETECTORS_PORT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "services/analytics_engine/detectors/contact.h"
#include "services/analytics_engine/detectors/finding.h"
#include "services/analytics_engine/detectors/folding.h"
#include "services/analytics_engine/detectors/lru_map.h"
#include "services/analytics_engine/detectors/recent_set.h"
#include "services/analytics_engine/detectors/source.h"
#include "services/common/metrics/metrics.h"
#include "services/common/signals/facts.h"

namespace nightjar::analytics_engine {

// Failed first contacts since the source last looked benign.
inline constexpr size_t kScanFailedMin = 20;
// Ports of one address within kScanPortsSeconds.
inline constexpr size_t kScanPortsMin = 50;
inline constexpr int64_t kScanPortsSeconds = 60;
// Addresses of one /20 (IPv6: /48) at one service port within kScanSweepSeconds.
inline constexpr size_t kScanSweepMin = 25;
// The same for web ports, and only failed contacts: content networks are wide.
inline constexpr size_t kScanWebSweepMin = 100;
inline constexpr int64_t kScanSweepSeconds = 900;

inline constexpr size_t kScanSourcesMax = 32'768;
inline constexpr size_t kScanContactSlotsMax = 32 << 20;  // 128 MiB for contacts, of all
inline constexpr size_t kFanOutsMax = 16;                 // followed of a source at a time

// Not thread-safe. References outlive it.
class PortScan {
 public:
  PortScan(Folding& folding, metrics::Metrics& metrics);

  // `facts` is of a flow report, not reversed, of `source` at `seconds` since the epoch.
  void Evaluate(const signals::Facts& facts, const Source& source, int64_t seconds,
                const std::string& index, std::vector<Finding>* findings);

 private:
  // The members of one group (the ports of an address, the addresses of a network) so far.
  struct FanOut {
    uint64_t group = 0;
    int64_t since = 0;              // seconds
    int64_t span = 0;               // seconds it is followed for
    std::vector<uint32_t> members;  // distinct, at most kScanWebSweepMin

    bool IsOver(int64_t seconds) const { return std::abs(seconds - since) >= span; }
  };
  struct State {
    explicit State(SlotBudget& budget) : contacts(budget) {}

    RecentSet contacts;
    int64_t newest = 0;  // seconds
    double score = 0;
    // Since the score was last at a verdict.
    size_t failed = 0;
    size_t answered = 0;
    std::vector<uint32_t> failed_addresses;  // distinct hashes, at most kScanFailedMin
    std::vector<uint32_t> failed_ports;      // distinct
    std::vector<FanOut> fan_outs;
    std::vector<Sample> samples;
  };
  struct Contact;

  State& StateOf(const Source& source, int64_t seconds);
  static bool IsSuspect(const State& state, int64_t seconds);
  static void ForgetVerdict(State* state);
  // Each fills the evidence and returns true when it has found a scan.
  static bool WalkScore(const Contact& contact, State* state, Evidence* evidence);
  static bool FollowPorts(const Contact& contact, State* state, Evidence* evidence);
  static bool FollowSweep(const Contact& contact, State* state, Evidence* evidence);
  // How many members the group has within `span` seconds, with this one.
  static size_t Join(uint64_t group, uint32_t member, const Contact& contact, int64_t span,
                     State* state);

  Folding& folding_;
  SlotBudget budget_;
  LruMap<Source, State> sources_;
  prometheus::Counter& evictions_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_DETECTORS_PORT_SCAN_H_
