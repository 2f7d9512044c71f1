#include "services/alert_poller/sink_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::alert_poller {
namespace {

// Failures in a row before the stage says that something is wrong.
constexpr int kFailuresUntilReported = 3;
constexpr absl::string_view kPositionStart = "{\"position\":";

}  // namespace

SinkRunner::SinkRunner(Sink sink, SinkRunnerOptions options, const SinkRunnerParts& parts)
    : sink_(std::move(sink)),
      options_(std::move(options)),
      parts_(parts),
      checkpoint_(parts.files, options_.folder),
      backoff_(options_.backoff) {}

absl::StatusOr<std::unique_ptr<SinkRunner>> SinkRunner::Open(Sink sink, SinkRunnerOptions options,
                                                             const SinkRunnerParts& parts) {
  std::unique_ptr<SinkRunner> runner(new SinkRunner(std::move(sink), std::move(options), parts));
  RETURN_IF_ERROR(runner->LoadPosition());
  // A rate has no use for a series that begins with the first loss.
  for (const char* outcome : {"delivered", "sink_overflow", "cut"}) runner->Count(outcome, 0);
  runner->UpdateSpool();
  return runner;
}

SinkRunner::~SinkRunner() { Shutdown(absl::ZeroDuration()); }

absl::Status SinkRunner::LoadPosition() {
  const uint64_t end = parts_.log.end();
  ASSIGN_OR_RETURN(const auto saved, checkpoint_.Load());
  uint64_t position = end;
  if (saved.has_value()) {
    absl::string_view text = *saved;
    if (!absl::ConsumePrefix(&text, kPositionStart) || !absl::ConsumeSuffix(&text, "}") ||
        !absl::SimpleAtoi(text, &position)) {
      return ConfigError(absl::StrCat("the position in ", options_.folder, " is not one: ", *saved,
                                      ". Move the folder away to begin with the next alert"));
    }
    if (position > end) {
      spdlog::warn(
          "sink {}: the alert log ends with alert {}, before its position {}; it goes on "
          "from there",
          name(), end, position);
      position = end;
    }
  }
  position_ = position;
  if (!saved.has_value() || position == end) {
    RETURN_IF_ERROR(checkpoint_.Save(absl::StrCat(kPositionStart, position, "}")));
  }
  parts_.log.AddReader(name(), position);
  return absl::OkStatus();
}

void SinkRunner::Start() {
  thread_ = std::thread([this] {
    Run();
    std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
    changed_.notify_all();
  });
}

void SinkRunner::Shutdown(absl::Duration deadline) {
  if (!thread_.joinable()) return;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    parts_.clock.WaitFor(lock, changed_, deadline, [this] { return done_; });
  }
  parts_.log.Stop();
  sink_.transport->Cancel();
  thread_.join();
}

void SinkRunner::Run() {
  const auto next = [this] {
    return unsaved_ ? parts_.log.Wait(options_.state_retry_wait) : parts_.log.WaitBehind(position_);
  };
  while (next()) {
    if (unsaved_) Save();
    Deliver();
    UpdateSpool();
  }
}

void SinkRunner::Deliver() {
  const auto entries = parts_.log.Read(position_, options_.batch_alerts_max);
  if (!entries.ok()) return Failed(entries.status());
  if (entries->empty()) return;
  CountDropped(entries->front().number);
  std::vector<std::string> messages;
  for (const AlertLog::Entry& entry : *entries) {
    for (std::string& message : sink_.encode(entry.alert)) messages.push_back(std::move(message));
  }
  size_t cut = 0;
  const absl::Status status = sink_.transport->Write(messages, &cut);
  if (!status.ok()) return Failed(status);
  backoff_.Reset();
  parts_.monitor.ClearCondition("sink_" + name());
  parts_.monitor.SetPeer("sink_" + name(), where(), true, "");
  Count("delivered", entries->size());
  if (cut > 0) Count("cut", cut);
  position_ = entries->back().number;
  if (position_ == parts_.log.end()) parts_.monitor.ClearCondition("sink_" + name() + "_overflow");
  Save();
}

// `next` is the number of the oldest alert that is left.
void SinkRunner::CountDropped(uint64_t next) {
  const uint64_t dropped = next - position_ - 1;
  if (dropped == 0) return;
  Count("sink_overflow", dropped);
  position_ = next - 1;
  parts_.monitor.SetCondition(
      "sink_" + name() + "_overflow",
      absl::StrCat("the oldest alerts were dropped for ", where(),
                   ": it took none for so long that the alert log was full"));
}

void SinkRunner::Failed(const absl::Status& status) {
  if (absl::IsCancelled(status)) return;
  const absl::Duration wait = backoff_.Next();
  parts_.metrics
      .counter("nightjar_sink_retries_total", "Writes that failed and are tried again.",
               {{"sink", name()}})
      .Increment();
  parts_.monitor.RecordError(status.message());
  parts_.monitor.SetPeer("sink_" + name(), where(), false, std::string(status.message()));
  if (backoff_.attempts() >= kFailuresUntilReported) {
    parts_.monitor.SetCondition(
        "sink_" + name(), absl::StrCat(status.message(), ". Its alerts are kept and tried again"));
  }
  parts_.log.Wait(wait);
}

void SinkRunner::Save() {
  const uint64_t position = position_;
  const absl::Status status = checkpoint_.Save(absl::StrCat(kPositionStart, position, "}"));
  unsaved_ = !status.ok();
  const std::string condition = "state_" + name();
  if (unsaved_) {
    parts_.monitor.SetCondition(
        condition,
        absl::StrCat(status.message(), ". A crash now would deliver again what came since"));
    return;
  }
  parts_.monitor.ClearCondition(condition);
  parts_.log.SetPosition(name(), position);
}

void SinkRunner::UpdateSpool() {
  parts_.metrics
      .gauge("nightjar_sink_spool_bytes", "Bytes of alerts on disk that the sink has not taken.",
             {{"sink", name()}})
      .Set(static_cast<double>(parts_.log.BytesBehind(position_)));
}

void SinkRunner::Count(const std::string& outcome, uint64_t alerts) {
  parts_.metrics
      .counter("nightjar_sink_alerts_total", "Alerts by what became of them at the sink.",
               {{"sink", name()}, {"outcome", outcome}})
      .Increment(static_cast<double>(alerts));
}

}  // namespace nightjar::alert_poller
