#include "services/common/analytics_api/account_reply.h"

#include "absl/strings/str_cat.h"
#include "simdjson.h"

namespace nightjar::analytics_api {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kMessagesMax = 64;

absl::Status NoAnswer(absl::string_view problem) {
  return absl::UnavailableError(absl::StrCat("the engine's answer ", problem));
}

absl::Status ParseExpiry(const dom::object& answer, AccountReply* reply) {
  std::string_view text;
  if (answer["expirationDate"].get(text) != simdjson::SUCCESS || text.empty()) {
    return absl::OkStatus();
  }
  absl::Time expires;
  std::string problem;
  if (!absl::ParseTime(absl::RFC3339_full, {text.data(), text.size()}, &expires, &problem)) {
    return NoAnswer("has an `expirationDate` that is no time");
  }
  // The zero of the language that engines are written in, year 1, means that there is none.
  if (expires > absl::UnixEpoch()) reply->expires = expires;
  return absl::OkStatus();
}

void ParseMessages(const dom::object& answer, AccountReply* reply) {
  dom::array messages;
  if (answer["messages"].get(messages) != simdjson::SUCCESS) return;
  for (const dom::element message : messages) {
    std::string_view body;
    if (message["body"].get(body) != simdjson::SUCCESS || body.empty()) continue;
    if (reply->messages.size() >= kMessagesMax) return;
    reply->messages.emplace_back(body);
  }
}

}  // namespace

absl::StatusOr<AccountReply> ParseAccountReply(absl::string_view content_type,
                                               absl::string_view body) {
  if (content_type == "text/html") return NoAnswer("is an HTML page");
  dom::parser parser;
  dom::object answer;
  if (parser.parse(body.data(), body.size()).get(answer) != simdjson::SUCCESS) {
    return NoAnswer("is not a JSON object");
  }
  AccountReply reply;
  if (answer["registered"].get(reply.registered) != simdjson::SUCCESS) {
    return NoAnswer("does not say whether we are `registered`");
  }
  if (answer["expired"].get(reply.expired) != simdjson::SUCCESS) reply.expired = false;
  if (absl::Status status = ParseExpiry(answer, &reply); !status.ok()) return status;
  ParseMessages(answer, &reply);
  return reply;
}

}  // namespace nightjar::analytics_api
