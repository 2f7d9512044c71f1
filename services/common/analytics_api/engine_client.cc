#include "services/common/analytics_api/engine_client.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/common/analytics_api/gzip.h"
#include "services/common/delivery/retry.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_api {
namespace {

// A reply names at most every line of a body of some thousands.
constexpr size_t kReplyBytesMax = 4 << 20;

// Basic authentication with the key as user and no password (API v1).
config::Secret BasicAuthorization(const config::Secret& key) {
  const config::Secret login(key.reveal() + ":");
  const config::Secret encoded(absl::Base64Escape(login.reveal()));
  return config::Secret("Basic " + encoded.reveal());
}

// A value in the query of a URL (RFC 3986, section 2.3: only unreserved characters as they are).
std::string QueryEscape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    if (plain) {
      escaped.push_back(c);
    } else {
      absl::StrAppend(&escaped, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return escaped;
}

// True when another host of the same engine may do better.
bool WorthAnotherHost(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

EngineClient::EngineClient(EngineClientOptions options)
    : options_(std::move(options)), authorization_(BasicAuthorization(options_.api_key)) {
  CHECK(!options_.hosts.empty());
  for (const std::string& url : options_.hosts) {
    hosts_.push_back({url, std::make_unique<http::HttpClient>(options_.endpoint)});
  }
}

absl::Status EngineClient::PostEvents(absl::string_view type, absl::string_view lines,
                                      uint64_t count, EventsReply* reply, Exchange* exchange) {
  http::Request request;
  request.method = "POST";
  request.response_bytes_max = kReplyBytesMax;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = lines;
  if (options_.gzip) {
    Gzip(lines, &compressed_);
    request.headers.emplace_back("Content-Encoding", "gzip");
    request.body = compressed_;
  }
  exchange->body_bytes = request.body.size();
  const std::string path = absl::StrCat("/v1/events/", type);
  absl::Status status = SendToHosts(std::move(request), path, exchange);
  if (!status.ok()) return status;
  auto parsed = ParseEventsReply(response_.content_type, response_.body(), count);
  if (!parsed.ok()) {
    return absl::Status(parsed.status().code(), absl::StrCat("POST ", exchange->host, path, ": ",
                                                             parsed.status().message()));
  }
  *reply = *std::move(parsed);
  return absl::OkStatus();
}

absl::Status EngineClient::Account(AccountReply* account, Exchange* exchange) {
  const std::string path = "/v1/account/status";
  http::Request request;
  request.response_bytes_max = kReplyBytesMax;
  absl::Status status = SendToHosts(std::move(request), path, exchange);
  if (!status.ok()) return status;
  auto parsed = ParseAccountReply(response_.content_type, response_.body());
  if (!parsed.ok()) {
    return absl::Status(parsed.status().code(), absl::StrCat("GET ", exchange->host, path, ": ",
                                                             parsed.status().message()));
  }
  *account = *std::move(parsed);
  return absl::OkStatus();
}

absl::Status EngineClient::Alerts(absl::string_view follow, AlertsPage* page, Exchange* exchange) {
  http::Request request;
  request.response_bytes_max = kAlertsReplyBytesMax;
  std::string path = "/v1/alerts";
  if (!follow.empty()) absl::StrAppend(&path, "?follow=", QueryEscape(follow));
  absl::Status status = SendToHosts(std::move(request), path, exchange);
  if (!status.ok()) return status;
  auto parsed = ParseAlertsReply(response_.content_type, response_.body());
  if (!parsed.ok()) {
    return absl::Status(
        parsed.status().code(),
        absl::StrCat("GET ", exchange->host, "/v1/alerts: ", parsed.status().message()));
  }
  *page = *std::move(parsed);
  return absl::OkStatus();
}

absl::Status EngineClient::SendToHosts(http::Request request, const std::string& path,
                                       Exchange* exchange) {
  request.timeout = options_.timeout;
  absl::Status status;
  for (size_t tries = 0; tries < hosts_.size(); ++tries) {
    status = SendTo(hosts_[current_], request, path, exchange);
    if (!WorthAnotherHost(status)) return status;
    current_ = (current_ + 1) % hosts_.size();
  }
  return status;
}

absl::Status EngineClient::SendTo(Host& host, http::Request request, const std::string& path,
                                  Exchange* exchange) {
  request.url = host.url + path;
  exchange->host = host.url;
  exchange->retry_after.reset();
  host.client->SetAuthorization(Authorization());
  absl::Status status = host.client->Send(request, &response_);
  if (!status.ok()) return status;
  exchange->duration = response_.total_time;
  exchange->retry_after = response_.retry_after;
  std::string words = response_.status / 100 == 2 ? "" : ErrorMessage(response_.body());
  const absl::string_view said = words.empty() ? response_.body() : absl::string_view(words);
  return delivery::StatusFromHttp(response_.status, absl::StrCat(request.method, " ", request.url),
                                  said);
}

config::Secret EngineClient::Authorization() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return authorization_;
}

void EngineClient::SetApiKey(const config::Secret& key) {
  std::lock_guard<std::mutex> lock(mutex_);
  authorization_ = BasicAuthorization(key);
}

void EngineClient::Cancel() {
  for (Host& host : hosts_) host.client->Cancel();
}

}  // namespace nightjar::analytics_api
