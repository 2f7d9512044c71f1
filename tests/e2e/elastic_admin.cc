#include "tests/e2e/elastic_admin.h"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "httplib.h"
#include "services/common/status/status_macros.h"

namespace nightjar::e2e {
namespace {

constexpr int kBulkTries = 120;
constexpr std::chrono::milliseconds kBulkPause(500);

}  // namespace

absl::StatusOr<std::string> ElasticAdmin::Call(const std::string& method, const std::string& path,
                                               const std::string& body) {
  httplib::Client client(url_);
  client.set_read_timeout(60);
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.body = body;
  request.set_header("Content-Type", "application/json");
  httplib::Result reply = client.send(request);
  if (!reply) {
    return absl::UnavailableError(
        absl::StrCat(method, " ", url_, path, ": ", httplib::to_string(reply.error())));
  }
  if (reply->status == 429 || reply->status == 503) {
    return absl::UnavailableError(absl::StrCat(path, ": ", reply->body.substr(0, 300)));
  }
  if (reply->status >= 300) {
    return absl::InternalError(
        absl::StrCat(method, " ", path, ": ", reply->status, " ", reply->body.substr(0, 300)));
  }
  return reply->body;
}

absl::Status ElasticAdmin::PutTemplate(const std::string& template_path) {
  std::ifstream file(template_path);
  if (!file) return absl::NotFoundError(template_path);
  std::stringstream text;
  text << file.rdbuf();
  return Call("PUT", "/_index_template/packetbeat", text.str()).status();
}

absl::Status ElasticAdmin::CreateIndex(const std::string& index, int shards,
                                       const std::string& refresh_interval) {
  return Call("PUT", absl::StrCat("/", index),
              absl::StrCat(R"({"settings":{"number_of_shards":)", shards,
                           R"(,"number_of_replicas":0,"refresh_interval":")", refresh_interval,
                           "\"}}"))
      .status();
}

absl::Status ElasticAdmin::DeleteIndex(const std::string& index) {
  return Call("DELETE", absl::StrCat("/", index), "").status();
}

absl::Status ElasticAdmin::Refresh(const std::string& index) {
  return Call("POST", absl::StrCat("/", index, "/_refresh"), "").status();
}

absl::StatusOr<uint64_t> ElasticAdmin::Count(const std::string& index) {
  ASSIGN_OR_RETURN(const std::string body, Call("GET", absl::StrCat("/", index, "/_count"), ""));
  uint64_t count = 0;
  const size_t at = body.find("\"count\":");
  if (at == std::string::npos) return absl::InternalError(body);
  const size_t end = body.find_first_of(",}", at + 8);
  if (!absl::SimpleAtoi(body.substr(at + 8, end - at - 8), &count))
    return absl::InternalError(body);
  return count;
}

absl::Status ElasticAdmin::Bulk(const std::string& index, const std::vector<BulkItem>& items) {
  std::string body;
  for (const BulkItem& item : items) {
    if (item.id.empty()) {
      absl::StrAppend(&body, "{\"create\":{}}\n", item.source, "\n");
    } else {
      absl::StrAppend(&body, "{\"create\":{\"_id\":\"", item.id, "\"}}\n", item.source, "\n");
    }
  }
  absl::StatusOr<std::string> reply;
  for (int attempt = 0; attempt < kBulkTries; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kBulkPause);
    reply = Call("POST", absl::StrCat("/", index, "/_bulk?filter_path=errors,items.*.error"), body);
    if (reply.ok() || reply.status().code() != absl::StatusCode::kUnavailable) break;
  }
  RETURN_IF_ERROR(reply.status());
  // After a lost reply the same ids conflict: they are there already.
  if (absl::StrContains(*reply, "\"errors\":false")) return absl::OkStatus();
  if (absl::StrContains(*reply, "version_conflict_engine_exception")) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("bulk into ", index, ": ", reply->substr(0, 500)));
}

}  // namespace nightjar::e2e
