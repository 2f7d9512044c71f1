#include "services/common/runtime/stage_metrics.h"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/common/runtime/certificate_expiry.h"
#include "services/common/runtime/main.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

using google::protobuf::Timestamp;

double Seconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

double Seconds(const Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() / 1e9;
}

// "ready" for STATE_READY.
std::string StateLabel(admin::v1::State state) {
  return absl::AsciiStrToLower(absl::StripPrefix(admin::v1::State_Name(state), "STATE_"));
}

// "shard" for "shard:packetbeat-1/0": a label holds no names from outside.
std::string KindOf(const std::string& condition) {
  return condition.substr(0, condition.find(':'));
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

StageMetrics::StageMetrics(std::string stage, metrics::Metrics& metrics,
                           const StageMonitor& monitor)
    : stage_(std::move(stage)), metrics_(metrics), monitor_(monitor) {
  Set("nightjar_build_info", "1, with the version of the program.", 1, {{"version", Version()}});
}

void StageMetrics::WatchFolder(const std::string& folder) {
  std::lock_guard<std::mutex> lock(mutex_);
  folder_ = folder;
}

void StageMetrics::WatchCertificate(const std::string& file) {
  std::lock_guard<std::mutex> lock(mutex_);
  certificate_ = file;
}

void StageMetrics::SetInsecure(const std::string& to, bool insecure) {
  Set("nightjar_stage_insecure_transport",
      "1 when the way there is plain text off the host, or TLS that trusts anybody.",
      insecure ? 1 : 0, {{"to", to}});
}

void StageMetrics::Refresh() {
  std::lock_guard<std::mutex> lock(mutex_);
  RefreshState();
  RefreshProcess();
  RefreshFolder();
  RefreshCertificate();
}

void StageMetrics::Set(const std::string& name, const std::string& help, double value,
                       metrics::Labels labels) {
  labels["stage"] = stage_;
  metrics_.gauge(name, help, labels).Set(value);
}

void StageMetrics::RefreshState() {
  const admin::v1::StageStatus status = monitor_.Status();
  Set("nightjar_stage_ready",
      "1 when the stage has started, has a taker where it needs one and is not draining.",
      monitor_.ready() ? 1 : 0);
  for (int number = admin::v1::State_MIN + 1; number <= admin::v1::State_MAX; ++number) {
    const auto state = static_cast<admin::v1::State>(number);
    Set("nightjar_stage_state", "1 for the state the stage is in, 0 for the others.",
        status.state() == state ? 1 : 0, {{"state", StateLabel(state)}});
  }
  std::map<std::string, int> active;
  for (const std::string& name : monitor_.ConditionNames()) ++active[KindOf(name)];
  for (const auto& [kind, count] : active) conditions_.insert(kind);
  for (const std::string& kind : conditions_) {
    Set("nightjar_stage_conditions",
        "Conditions of this kind that keep the stage from being ready.", active[kind],
        {{"condition", kind}});
  }
  Set("nightjar_stage_credit_batches", "Batches that the stage may still send downstream.",
      status.credit_batches());
  Set("nightjar_stage_credit_bytes", "Bytes that the stage may still send downstream.",
      static_cast<double>(status.credit_bytes()));
  for (const admin::v1::TypeActivity& activity : status.activity()) {
    if (!activity.has_last_record()) continue;
    Set("nightjar_stage_last_record_timestamp_seconds",
        "Time that the newest record of this type carries.", Seconds(activity.last_record()),
        {{"type", activity.type()}});
  }
  Set("nightjar_stage_start_timestamp_seconds", "When the process started.",
      Seconds(status.started_at()));
  Set("nightjar_stage_clock_timestamp_seconds", "What the stage takes for the time of this scrape.",
      Seconds(monitor_.clock().Now()));
}

void StageMetrics::RefreshProcess() {
  long pages = 0;
  std::ifstream statm("/proc/self/statm");
  if (statm >> pages >> pages) {  // the second number is what is resident
    Set("nightjar_stage_resident_memory_bytes", "Memory that the process holds.",
        static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return;
  const double cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  metrics_.counter("nightjar_stage_cpu_seconds_total", "Processor time used.", {{"stage", stage_}})
      .Increment(cpu_seconds - cpu_seconds_);
  cpu_seconds_ = cpu_seconds;
}

void StageMetrics::RefreshFolder() {
  struct statvfs room {};
  if (folder_.empty() || statvfs(folder_.c_str(), &room) != 0) return;
  const auto block = static_cast<double>(room.f_frsize);
  Set("nightjar_stage_disk_free_bytes", "Room left for the stage where data.dir is.",
      static_cast<double>(room.f_bavail) * block);
  Set("nightjar_stage_disk_size_bytes", "Size of the file system where data.dir is.",
      static_cast<double>(room.f_blocks) * block);
}

void StageMetrics::RefreshCertificate() {
  if (certificate_.empty()) return;
  const absl::StatusOr<absl::Time> expiry = CertificateExpiry(certificate_);
  if (expiry.ok()) {
    Set("nightjar_stage_certificate_expiry_timestamp_seconds",
        "When the first certificate of the stage's own chain runs out.", Seconds(*expiry));
    certificate_problem_.clear();
    return;
  }
  // The last figure stays: the certificate in use has not become younger.
  const std::string problem(expiry.status().message());
  if (std::exchange(certificate_problem_, problem) != problem) spdlog::warn("{}", problem);
}

}  // namespace nightjar::runtime
