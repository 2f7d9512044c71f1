#include "services/cli/account.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/common/analytics_api/engine_key.h"
#include "services/common/analytics_api/events_reply.h"
#include "services/common/delivery/retry.h"
#include "services/common/http/http_client.h"
#include "services/common/runtime/main.h"
#include "services/common/runtime/printable.h"
#include "services/common/status/status_macros.h"
#include "simdjson.h"

namespace nightjar::cli {
namespace {

namespace dom = simdjson::dom;

constexpr absl::Duration kAnswerMax = absl::Seconds(5);
constexpr size_t kAnswerBytesMax = 1 << 20;
constexpr size_t kTextBytesMax = 500;

// "Account expires: 2026-12-24T00:00:00Z\n", or nothing when the engine did not say.
std::string Line(absl::string_view label, const dom::object& answer, const char* key) {
  std::string_view text;
  if (answer[key].get(text) != simdjson::SUCCESS || text.empty()) return "";
  return absl::StrCat(label, ": ", runtime::Printable({text.data(), text.size()}, kTextBytesMax),
                      "\n");
}

std::string Messages(const dom::object& answer) {
  dom::array messages;
  if (answer["messages"].get(messages) != simdjson::SUCCESS) return "";
  std::string lines;
  for (const dom::element message : messages) {
    dom::object object;
    if (message.get(object) == simdjson::SUCCESS) {
      absl::StrAppend(&lines, Line("Message", object, "body"));
    }
  }
  return lines;
}

absl::StatusOr<std::string> AskHost(const config::EngineConfig& engine, const std::string& host,
                                    const config::Secret& key) {
  http::Endpoint endpoint;
  endpoint.user_agent = absl::StrCat("nightjar/", runtime::Version());
  endpoint.authorization =
      config::Secret("Basic " + absl::Base64Escape(absl::StrCat(key.reveal(), ":")));
  endpoint.ca_file = engine.ca_file;
  endpoint.insecure_skip_verify = engine.insecure_skip_verify;
  endpoint.proxy = engine.proxy;
  http::HttpClient client(endpoint);
  http::Request request;
  request.url = host + (host.back() == '/' ? "" : "/") + "v1/account/status";
  request.timeout = kAnswerMax;
  request.response_bytes_max = kAnswerBytesMax;
  http::Response response;
  RETURN_IF_ERROR(client.Send(request, &response));
  const std::string words =
      response.status == 200 ? "" : analytics_api::ErrorMessage(response.body());
  RETURN_IF_ERROR(delivery::StatusFromHttp(response.status, absl::StrCat("GET ", request.url),
                                           words.empty() ? response.body() : words));
  auto account = ParseAccount(response.body());
  if (account.ok()) return account;
  return absl::UnavailableError(
      absl::StrCat("GET ", request.url, ": ", account.status().message()));
}

}  // namespace

absl::StatusOr<std::string> AccountStatus(const config::Config& config) {
  ASSIGN_OR_RETURN(const config::Secret key, analytics_api::EngineKey(config));
  absl::StatusOr<std::string> account = absl::UnavailableError("engine.host: no host");
  for (const std::string& host : config.engine.hosts) {
    account = AskHost(config.engine, host, key);
    if (!absl::IsUnavailable(account.status()) && !absl::IsDeadlineExceeded(account.status())) {
      break;
    }
  }
  return account;
}

absl::StatusOr<std::string> ParseAccount(absl::string_view json) {
  dom::parser parser;
  dom::object answer;
  if (parser.parse(json.data(), json.size()).get(answer) != simdjson::SUCCESS) {
    return absl::UnavailableError("the engine's answer is not a JSON object");
  }
  bool registered = false;
  if (answer["registered"].get(registered) != simdjson::SUCCESS) {
    return absl::UnavailableError("the engine's answer does not say whether we are `registered`");
  }
  bool expired = false;
  if (answer["expired"].get(expired) != simdjson::SUCCESS) expired = false;  // absent: it is not
  return absl::StrCat("Account registered: ", registered ? "true" : "false",
                      "\nAccount expired: ", expired ? "true" : "false", "\n",
                      Line("Account expires", answer, "expirationDate"), Messages(answer));
}

}  // namespace nightjar::cli
