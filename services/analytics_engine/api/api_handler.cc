#include "services/analytics_engine/api/api_handler.h"

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/analytics_engine/api/replies.h"
#include "services/common/network/address.h"
#include "services/common/status/status_macros.h"

namespace nightjar::analytics_engine {
namespace {

constexpr int kSeverityMax = 5;
constexpr char kBasic[] = "Basic ";

// The user name of HTTP Basic, which is the key; empty when there is none.
std::string KeyOf(absl::string_view authorization) {
  std::string decoded;
  if (!absl::StartsWithIgnoreCase(authorization, kBasic)) return "";
  authorization.remove_prefix(sizeof(kBasic) - 1);
  if (!absl::Base64Unescape(authorization, &decoded)) return "";
  return decoded.substr(0, decoded.find(':'));
}

int HttpStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    default:  // ours to mend: a client that waits and comes again is all that is needed
      return 429;
  }
}

std::string Parameter(const ApiRequest& request, const std::string& name) {
  const auto found = request.parameters.find(name);
  return found == request.parameters.end() ? "" : found->second;
}

}  // namespace

ApiReply ApiHandler::Handle(const ApiRequest& request) {
  const Route* route = FindRoute(request.method, request.path);
  absl::StatusOr<std::string> answer = Answer(route, request);
  ApiReply reply;
  reply.status = HttpStatus(answer.status());
  reply.json = answer.ok() ? *std::move(answer) : MessageJson(answer.status().message());
  parts_.metrics.CountRequest(route == nullptr ? "other" : route->path, reply.status);
  return reply;
}

absl::StatusOr<std::string> ApiHandler::Answer(const Route* route, const ApiRequest& request) {
  RETURN_IF_ERROR(CheckPeer(request.peer));
  if (route == nullptr) {
    return absl::NotFoundError(absl::StrCat("unknown: ", request.method, " ", request.path));
  }
  if (route->endpoint == Endpoint::kNotOffered) {
    return absl::InvalidArgumentError(absl::StrCat(route->path, " is not offered by this engine"));
  }
  ASSIGN_OR_RETURN(const KeyInfo key,
                   parts_.keys.Check(KeyOf(request.authorization), route->scope));
  switch (route->endpoint) {
    case Endpoint::kAccount:
      return AccountJson(parts_.clock.Now(), key.expires_at, parts_.ingest.SourcesSeenToday());
    case Endpoint::kEvents:
      return TakeEvents(*route, request);
    case Endpoint::kAlerts:
      return Alerts(request);
    case Endpoint::kThreats:
      return ThreatsJson();
    case Endpoint::kFlags:
      return FlagsJson();
    case Endpoint::kNotOffered:
      break;
  }
  return absl::NotFoundError("unknown path");
}

absl::Status ApiHandler::CheckPeer(const std::string& peer) const {
  if (!peers_.has_value()) return absl::OkStatus();
  const auto address = network::Address::Parse(peer);
  if (address.has_value() && peers_->Contains(*address)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("peer ", peer, " is not in security.plaintext_networks"));
}

absl::StatusOr<std::string> ApiHandler::TakeEvents(const Route& route, const ApiRequest& request) {
  if (parts_.monitor.paused()) {
    return absl::ResourceExhaustedError("the engine is paused by an operator, try again later");
  }
  if (!gate_.Enter(kBodyWaitMax)) {
    return absl::ResourceExhaustedError("the engine is busy with other bodies, try again later");
  }
  const absl::Cleanup leave = [this] { gate_.Leave(); };
  std::string body;
  size_t size = 0;
  RETURN_IF_ERROR(request.read_body(&body, &size));
  parts_.metrics.body_bytes.Increment(static_cast<double>(size));
  ASSIGN_OR_RETURN(const analytics_api::EventsReply reply,
                   parts_.ingest.Take(route.events, {body.data(), size}));
  return EventsReplyJson(reply);
}

absl::StatusOr<std::string> ApiHandler::Alerts(const ApiRequest& request) {
  int severity_min = 0;
  const std::string severity = Parameter(request, "minSeverity");
  if (!severity.empty() && (!absl::SimpleAtoi(severity, &severity_min) || severity_min < 0 ||
                            severity_min > kSeverityMax)) {
    return absl::InvalidArgumentError(
        absl::StrCat("minSeverity \"", severity, "\" is not a number from 0 to ", kSeverityMax));
  }
  const std::string threats = Parameter(request, "threats");
  if (!threats.empty() && threats != "all") {
    return absl::InvalidArgumentError(
        absl::StrCat("threats \"", threats, "\" is neither absent nor \"all\""));
  }
  ASSIGN_OR_RETURN(const AlertPage page,
                   parts_.alerts.Page(Parameter(request, "follow"), severity_min));
  return AlertsJson(page, threats == "all");
}

}  // namespace nightjar::analytics_engine
