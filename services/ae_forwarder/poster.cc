#include "services/ae_forwarder/poster.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/common/delivery/retry.h"

namespace nightjar::ae_forwarder {
namespace {

// Failures in a row before the stage says that something is wrong: a single 503 is everyday life.
constexpr int kFailuresUntilReported = 3;

bool IsKeyRefused(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status);
}

std::vector<uint32_t> LinesNotEnded(const BodyResult& result) {
  std::vector<uint32_t> lines;
  for (size_t i = 0; i < result.lines(); ++i) {
    if (!result.ended(i)) lines.push_back(static_cast<uint32_t>(i));
  }
  return lines;
}

}  // namespace

BodyResult Poster::Deliver(const Body& body, std::vector<RefusedLine>* refused) {
  BodyResult result(body.lines.size());
  const auto post = [&](absl::Span<const uint32_t> lines) {
    return PostLines(body, lines, &result);
  };
  for (;;) {
    std::vector<uint32_t> lines = LinesNotEnded(result);
    absl::Status status = post(lines);
    if (status.ok()) context_.guard.Accepted(body.type);
    if (absl::IsInvalidArgument(status)) {
      status = Bisect(body.type, std::move(lines), status, context_.guard, post, refused);
    }
    if (status.ok()) context_.monitor.ClearCondition("engine_refuses_" + body.type);
    if (!absl::IsFailedPrecondition(status)) return result;
    ReportHold(body.type, status);
    if (!context_.gate.Wait(context_.hold_wait)) return result;
  }
}

absl::Status Poster::PostLines(const Body& body, absl::Span<const uint32_t> lines,
                               BodyResult* result) {
  absl::string_view bytes = body.bytes;
  if (lines.size() < body.lines.size()) {
    scratch_.clear();
    for (const uint32_t line : lines) absl::StrAppend(&scratch_, body.text(line));
    bytes = scratch_;
  }
  for (;;) {
    const auto ticket = context_.gate.Enter();
    if (!ticket.has_value()) return absl::CancelledError("stopped");
    analytics_api::EventsReply reply;
    analytics_api::Exchange exchange;
    const absl::Status status =
        client_.PostEvents(body.type, bytes, lines.size(), &reply, &exchange);
    context_.metrics.Post(body.type, status, bytes.size(), exchange.body_bytes,
                          absl::ToDoubleSeconds(exchange.duration));
    if (absl::IsCancelled(status)) return status;
    if (status.ok() || absl::IsInvalidArgument(status)) {
      context_.gate.Succeeded(*ticket);
      context_.metrics.engine_up.Set(1);
      context_.monitor.ClearCondition("engine");
      context_.monitor.SetPeer("engine", exchange.host, true, "");
      if (status.ok()) result->ApplyReply(lines, reply);
      return status;
    }
    context_.monitor.SetPeer("engine", exchange.host, false, std::string(status.message()));
    Report(status, *ticket, exchange.retry_after);
  }
}

void Poster::Report(const absl::Status& status, PostGate::Ticket ticket,
                    std::optional<absl::Duration> retry_after) {
  const bool slow = IsKeyRefused(status) || !delivery::IsRetryable(status);
  if (slow && !retry_after.has_value()) retry_after = context_.hold_wait;
  const int failures = context_.gate.Failed(ticket, retry_after);
  context_.metrics.retries.Increment();
  context_.metrics.engine_up.Set(0);
  context_.monitor.RecordError(status.message());
  std::string text(status.message());
  if (IsKeyRefused(status)) {
    absl::StrAppend(&text, ". Nothing is dropped; correct engine.api_key and send SIGHUP");
  }
  const absl::Duration cap = delivery::BackoffOptions{}.retry_after_max;
  const bool capped = retry_after.has_value() && *retry_after > cap;
  if (capped) {
    absl::StrAppend(&text, ". It asked for a wait of more than ", absl::FormatDuration(cap),
                    ", which is cut to that");
  }
  if (slow || capped || failures >= kFailuresUntilReported) {
    context_.monitor.SetCondition("engine", text);
  }
  if (IsKeyRefused(status)) context_.reload_api_key();
}

void Poster::ReportHold(const std::string& type, const absl::Status& status) {
  context_.monitor.SetCondition(
      "engine_refuses_" + type,
      absl::StrCat("the engine refuses every ", type, " event: ", status.message(),
                   ". They are held, not dropped; next try in ",
                   absl::FormatDuration(context_.hold_wait)));
}

}  // namespace nightjar::ae_forwarder
