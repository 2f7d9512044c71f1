#include "services/es_reader/elastic/elastic_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/elastic/replies.h"
#include "services/es_reader/elastic/requests.h"

namespace nightjar::es_reader {
namespace {

// Settings and statistics of ten thousand shards are below this.
constexpr size_t kReplyBytesMax = 32 << 20;
constexpr absl::Duration kRequestTimeout = absl::Seconds(60);

bool NodeIsInTrouble(int http_status, const absl::Status& status) {
  // A shard without a node is a 503 of a healthy node.
  return (http_status == 502 || http_status == 503 || http_status == 504) &&
         !absl::IsAborted(status) && !absl::IsResourceExhausted(status);
}

}  // namespace

ElasticClient::ElasticClient(NodePool& pool, const ElasticOptions& options)
    : pool_(pool), authorization_(options.endpoint.authorization), http_(options.endpoint) {}

void ElasticClient::SetAuthorization(const config::Secret& authorization) {
  std::lock_guard<std::mutex> lock(mutex_);
  authorization_ = authorization;
}

template <typename T>
absl::StatusOr<T> ElasticClient::Named(absl::StatusOr<T> parsed) const {
  if (parsed.ok()) return parsed;
  return absl::Status(parsed.status().code(), absl::StrCat(what_, ": ", parsed.status().message()));
}

absl::StatusOr<std::vector<IndexInfo>> ElasticClient::Resolve(
    const std::vector<std::string>& patterns) {
  RETURN_IF_ERROR(Send("GET", SettingsPath(patterns), "", kReplyBytesMax, &reply_));
  ASSIGN_OR_RETURN(std::vector<IndexInfo> indices, Named(ParseSettings(reply_.body())));
  if (indices.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no index yet that matches ", absl::StrJoin(patterns, ",")));
  }
  return indices;
}

absl::StatusOr<std::vector<ShardStats>> ElasticClient::Stats(
    const std::vector<std::string>& patterns) {
  RETURN_IF_ERROR(Send("GET", StatsPath(patterns), "", kReplyBytesMax, &reply_));
  return Named(ParseStats(reply_.body()));
}

absl::Status ElasticClient::Search(const WindowQuery& query, http::Response* response) {
  return Send("POST", SearchPath(query.index, query.shard, query.node), WindowBody(query),
              kPageBytesMax, response);
}

absl::StatusOr<int64_t> ElasticClient::Count(const WindowQuery& query) {
  RETURN_IF_ERROR(Send("POST", SearchPath(query.index, query.shard, query.node), CountBody(query),
                       kReplyBytesMax, &reply_));
  return Named(ParseCount(reply_.body()));
}

absl::StatusOr<RefreshResult> ElasticClient::Refresh(const std::string& index) {
  RETURN_IF_ERROR(Send("POST", absl::StrCat("/", IndexPath({index}), "/_refresh"), "",
                       kReplyBytesMax, &reply_));
  return Named(ParseRefresh(reply_.body()));
}

absl::StatusOr<std::optional<int64_t>> ElasticClient::FirstSeqNoSince(const std::string& index,
                                                                      int shard,
                                                                      const std::string& node,
                                                                      absl::Time since) {
  RETURN_IF_ERROR(
      Send("POST", SearchPath(index, shard, node), FirstSinceBody(since), kReplyBytesMax, &reply_));
  return Named(ParseFirstSeqNo(reply_.body()));
}

absl::Status ElasticClient::Send(const std::string& method, const std::string& path,
                                 const std::string& body, size_t response_bytes_max,
                                 http::Response* response) {
  const size_t node = pool_.Next();
  http::Request request;
  request.method = method;
  request.url = absl::StrCat(pool_.host(node), path);
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = body;
  request.timeout = kRequestTimeout;
  request.response_bytes_max = response_bytes_max;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    http_.SetAuthorization(authorization_);
  }
  const absl::Status sent = http_.Send(request, response);
  if (absl::IsUnavailable(sent) || absl::IsDeadlineExceeded(sent)) pool_.Failed(node);
  RETURN_IF_ERROR(sent);
  // The query part would make the line too long to read.
  what_ = absl::StrCat(method, " ", request.url.substr(0, request.url.find('?')));
  absl::Status status = StatusFromReply(what_, *response);
  if (NodeIsInTrouble(response->status, status)) {
    pool_.Failed(node);
  } else {
    pool_.Succeeded(node);
  }
  return status;
}

}  // namespace nightjar::es_reader
