#include "services/common/analytics_api/events_reply.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "simdjson.h"

namespace nightjar::analytics_api {
namespace {

namespace dom = simdjson::dom;

// Reasons are metric labels and log text: bounded in number and length.
constexpr size_t kReasonsMax = 32;
constexpr size_t kReasonBytesMax = 40;

// The engine's words as snake_case: letters, digits and underscores.
std::string SafeReason(absl::string_view text) {
  std::string reason;
  for (const char c : text.substr(0, kReasonBytesMax)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool kept = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    reason.push_back(kept ? static_cast<char>(upper ? c + ('a' - 'A') : c) : '_');
  }
  return reason.empty() ? "unnamed" : reason;
}

absl::Status NoAnswer(absl::string_view problem) {
  return absl::UnavailableError(absl::StrCat("engine's reply is no answer: ", problem));
}

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status ParseRejected(const dom::object& reply, EventsReply* out) {
  dom::element element;
  if (reply["rejected"].get(element) != simdjson::SUCCESS || element.is_null()) {
    return absl::OkStatus();
  }
  dom::object reasons;
  if (element.get(reasons) != simdjson::SUCCESS) return NoAnswer("`rejected` is not an object");
  for (const auto [reason, value] : reasons) {
    uint64_t count = 0;
    // The bound keeps a sum of at most kReasonsMax terms, and `other`, from overflowing.
    if (value.get(count) != simdjson::SUCCESS || count > std::numeric_limits<uint32_t>::max()) {
      return NoAnswer("a count in `rejected` is not a whole number");
    }
    if (count == 0) continue;
    const bool room = out->rejected.size() < kReasonsMax;
    out->rejected[room ? SafeReason(View(reason)) : "other"] += count;
  }
  return absl::OkStatus();
}

// A hint only: entries that make no sense are left out, the totals stand.
void ParseRejectedLines(const dom::object& reply, uint64_t sent, EventsReply* out) {
  dom::array lines;
  if (reply["rejectedLines"].get(lines) != simdjson::SUCCESS) return;
  for (const dom::element entry : lines) {
    EventsReply::RejectedLine rejected;
    std::string_view reason;
    if (entry["line"].get(rejected.line) != simdjson::SUCCESS || rejected.line >= sent) continue;
    if (entry["reason"].get(reason) != simdjson::SUCCESS) continue;
    rejected.reason = SafeReason(View(reason));
    out->rejected_lines.push_back(std::move(rejected));
    if (out->rejected_lines.size() >= sent) return;
  }
}

absl::Status CheckTotals(const EventsReply& reply, uint64_t sent) {
  if (reply.received != sent) {
    return NoAnswer(absl::StrCat("sent ", sent, " events, it says received ", reply.received));
  }
  uint64_t ended = reply.accepted;
  for (const auto& [reason, count] : reply.rejected) ended += count;
  if (reply.accepted > sent || ended > sent) {
    return NoAnswer(absl::StrCat("received ", sent, " events, accepted and rejected ", ended));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EventsReply> ParseEventsReply(absl::string_view content_type, absl::string_view body,
                                             uint64_t sent) {
  if (content_type == "text/html") return NoAnswer("an HTML page (a proxy or a login in between?)");
  dom::parser parser;
  dom::object object;
  if (parser.parse(body.data(), body.size(), false).get(object) != simdjson::SUCCESS) {
    return NoAnswer(absl::StrCat("not a JSON object, content type \"", content_type, "\""));
  }
  EventsReply reply;
  if (object["received"].get(reply.received) != simdjson::SUCCESS) {
    return NoAnswer("`received` is not a whole number");
  }
  if (object["accepted"].get(reply.accepted) != simdjson::SUCCESS) {
    return NoAnswer("`accepted` is not a whole number");
  }
  if (absl::Status status = ParseRejected(object, &reply); !status.ok()) return status;
  if (absl::Status status = CheckTotals(reply, sent); !status.ok()) return status;
  ParseRejectedLines(object, sent, &reply);
  return reply;
}

std::string ErrorMessage(absl::string_view body) {
  dom::parser parser;
  std::string_view message;
  if (parser.parse(body.data(), body.size(), false)["message"].get(message) != simdjson::SUCCESS) {
    return "";
  }
  return std::string(message);
}

}  // namespace nightjar::analytics_api
