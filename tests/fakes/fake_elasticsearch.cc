#include "tests/fakes/fake_elasticsearch.h"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "httplib.h"
#include "services/common/status/check.h"
#include "tests/fakes/fake_search.h"

namespace nightjar::fakes {
namespace {

constexpr char kNode[] = "fake-node-1";
constexpr char kJson[] = "application/json";

struct Shard {
  std::vector<StoredDocument> documents;  // live ones, by number
  std::unordered_map<std::string, int64_t> number_of_id;
  int64_t max_seq_no = -1;
  int64_t visible_seq_no = -1;  // searches find documents up to this number
  uint64_t refreshes = 0;
  bool available = true;
};

struct IndexState {
  std::string uuid;
  std::string history;
  std::vector<Shard> shards;
  bool refresh_at_once = true;
  bool closed = false;
};

void RefreshShard(Shard& shard) {
  shard.visible_seq_no = shard.max_seq_no;
  ++shard.refreshes;
}

std::string ErrorBody(int status, absl::string_view type, absl::string_view reason) {
  return absl::StrCat(R"({"error":{"root_cause":[{"type":")", type, R"(","reason":")", reason,
                      R"("}],"type":")", type, R"(","reason":")", reason, R"("},"status":)", status,
                      "}");
}

void Fail(httplib::Response& out, int status, absl::string_view type, absl::string_view reason) {
  out.status = status;
  out.set_content(ErrorBody(status, type, reason), kJson);
}

}  // namespace

struct FakeElasticsearch::Impl {
  explicit Impl(FakeElasticsearchOptions fake_options) : options(std::move(fake_options)) {
    server.new_task_queue = [] { return new httplib::ThreadPool(32); };
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1 << 30);
    server.set_pre_routing_handler([this](const httplib::Request& in, httplib::Response& out) {
      return Intercept(in, out) ? httplib::Server::HandlerResponse::Handled
                                : httplib::Server::HandlerResponse::Unhandled;
    });
    server.Get("/", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(R"({"name":"fake","version":{"number":"7.17.29"}})", kJson);
    });
    server.Get(R"(/([^/]+)/_settings.*)", [this](const auto& in, auto& out) { Settings(in, out); });
    server.Get(R"(/([^/]+)/_stats.*)", [this](const auto& in, auto& out) { ShardStats(in, out); });
    server.Post(R"(/([^/]+)/_refresh)", [this](const auto& in, auto& out) { ApiRefresh(in, out); });
    server.Post(R"(/([^/]+)/_search)", [this](const auto& in, auto& out) { Search(in, out); });
    server.set_error_handler([this](const httplib::Request& in, httplib::Response& out) {
      if (out.status != 404 || !out.body.empty()) return;
      std::lock_guard<std::mutex> lock(mutex);
      stats.unknown_requests.push_back(in.method + " " + in.path);
      out.status = 400;
      out.set_content(R"({"error":"no handler found for uri","status":400})", kJson);
    });
    port = server.bind_to_any_port("127.0.0.1");
    CHECK(port > 0);
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }

  ~Impl() {
    server.stop();
    thread.join();
  }

  // Unique over all servers and processes, as real ones are.
  std::string NewName(absl::string_view kind) {
    return absl::StrCat(kind, "-", getpid(), "-", port, "-", ++created);
  }

  // Authentication and faults. True: answered.
  bool Intercept(const httplib::Request& in, httplib::Response& out) {
    std::optional<ElasticFault> fault;
    {
      std::lock_guard<std::mutex> lock(mutex);
      if (!options.username.empty() &&
          in.get_header_value("Authorization") !=
              "Basic " + absl::Base64Escape(options.username + ":" + options.password)) {
        Fail(out, 401, "security_exception", "unable to authenticate user");
        return true;
      }
      for (auto& [part, entry] : faults) {
        if (entry.second == 0 || !absl::StrContains(in.path, part)) continue;
        if (entry.second > 0) --entry.second;
        fault = entry.first;
        break;
      }
    }
    if (!fault.has_value()) return false;
    switch (fault->kind) {
      case ElasticFault::Kind::kStatus:
        out.status = fault->status;
        out.set_content(fault->body, fault->content_type.c_str());
        return true;
      case ElasticFault::Kind::kReset:
        out.set_content_provider(1000, kJson,
                                 [](size_t, size_t, httplib::DataSink&) { return false; });
        return true;
      case ElasticFault::Kind::kSlow:
        std::this_thread::sleep_for(absl::ToChronoMilliseconds(fault->delay));
        return false;
      case ElasticFault::Kind::kTimedOut:
        out.set_content(SearchReply({}, "", 1, 1, 0, true), kJson);
        return true;
      case ElasticFault::Kind::kPartialShards:
        out.set_content(SearchReply({}, "", 1, 0, 1, false), kJson);
        return true;
    }
    return false;
  }

  // Names that a comma-separated list of patterns covers, closed ones included.
  std::vector<std::string> Match(const std::string& patterns) const {
    std::vector<std::string> names;
    for (const auto& [name, index] : indices) {
      for (absl::string_view pattern : absl::StrSplit(patterns, ',')) {
        if (fnmatch(std::string(pattern).c_str(), name.c_str(), 0) == 0) {
          names.push_back(name);
          break;
        }
      }
    }
    return names;
  }

  void Settings(const httplib::Request& in, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    std::vector<std::string> entries;
    for (const std::string& name : Match(in.matches[1])) {
      const IndexState& index = indices.at(name);
      entries.push_back(
          absl::StrCat("\"", name, R"(":{"settings":{"index":{"uuid":")", index.uuid,
                       R"(","number_of_shards":")", index.shards.size(),
                       R"(","creation_date":"1700000000000","provided_name":")", name, "\"",
                       index.refresh_at_once ? "" : R"(,"refresh_interval":"-1")",
                       index.closed ? R"(,"verified_before_close":"true")" : "", "}}}"));
    }
    out.set_content(absl::StrCat("{", absl::StrJoin(entries, ","), "}"), kJson);
  }

  void ShardStats(const httplib::Request& in, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    ++stats.stats_requests;
    std::vector<std::string> entries;
    for (const std::string& name : Match(in.matches[1])) {
      const IndexState& index = indices.at(name);
      if (index.closed) continue;
      std::vector<std::string> shards;
      for (size_t i = 0; i < index.shards.size(); ++i) {
        const Shard& shard = index.shards[i];
        if (!shard.available) continue;
        shards.push_back(absl::StrCat(
            "\"", i, R"(":[{"routing":{"state":"STARTED","primary":true,"node":")", kNode,
            R"("},"docs":{"count":)", shard.documents.size(),
            R"(,"deleted":0},"store":{"size_in_bytes":)", shard.documents.size() * 1500,
            R"(},"refresh":{"total":)", shard.refreshes, R"(,"external_total":)", shard.refreshes,
            R"(},"commit":{"user_data":{"history_uuid":")", index.history,
            R"("}},"seq_no":{"max_seq_no":)", shard.max_seq_no, R"(,"local_checkpoint":)",
            shard.max_seq_no, R"(,"global_checkpoint":)", shard.max_seq_no, "}}]"));
      }
      entries.push_back(absl::StrCat("\"", name, R"(":{"uuid":")", index.uuid, R"(","shards":{)",
                                     absl::StrJoin(shards, ","), "}}"));
    }
    out.set_content(absl::StrCat(R"({"_shards":{"total":1,"successful":1,"failed":0},"indices":{)",
                                 absl::StrJoin(entries, ","), "}}"),
                    kJson);
  }

  void ApiRefresh(const httplib::Request& in, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    ++stats.refreshes;
    auto found = indices.find(in.matches[1]);
    if (found == indices.end()) return Fail(out, 404, "index_not_found_exception", "no such index");
    int successful = 0;
    for (Shard& shard : found->second.shards) {
      if (!shard.available) continue;
      RefreshShard(shard);
      ++successful;
    }
    out.set_content(absl::StrCat(R"({"_shards":{"total":)", found->second.shards.size(),
                                 R"(,"successful":)", successful, R"(,"failed":0}})"),
                    kJson);
  }

  void Search(const httplib::Request& in, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    ++stats.searches;
    const std::string name = in.matches[1];
    auto found = indices.find(name);
    if (found == indices.end()) return Fail(out, 404, "index_not_found_exception", "no such index");
    if (found->second.closed) return Fail(out, 400, "index_closed_exception", "closed");
    std::optional<SearchRequest> request = ParseSearch(in.body);
    if (!request.has_value()) return Fail(out, 400, "parsing_exception", "cannot parse the body");
    size_t number = 0;
    for (absl::string_view part : absl::StrSplit(in.get_param_value("preference"), '|')) {
      if (absl::ConsumePrefix(&part, "_shards:")) CHECK(absl::SimpleAtoi(part, &number));
      if (absl::ConsumePrefix(&part, "_only_nodes:") && part != kNode) {
        return Fail(out, 400, "illegal_argument_exception",
                    "no data nodes with criteria found for shard");
      }
    }
    if (number >= found->second.shards.size()) {
      return out.set_content(SearchReply({}, name, 0, 0, 0, false), kJson);
    }
    const Shard& shard = found->second.shards[number];
    if (!shard.available) {
      return Fail(out, 503, "no_shard_available_action_exception", "no shard available");
    }
    const std::vector<StoredDocument> hits = Find(shard.documents, shard.visible_seq_no, *request);
    std::optional<size_t> total;
    if (request->count) {
      SearchRequest all = *request;
      all.size = shard.documents.size();
      total = Find(shard.documents, shard.visible_seq_no, all).size();
    }
    out.set_content(SearchReply(hits, name, 1, 1, 0, false, request->with_source, total), kJson);
  }

  FakeElasticsearchOptions options;
  httplib::Server server;
  int port = 0;
  std::thread thread;
  mutable std::mutex mutex;
  std::map<std::string, IndexState> indices;
  std::map<std::string, std::pair<ElasticFault, int>> faults;
  Stats stats;
  int created = 0;
};

FakeElasticsearch::FakeElasticsearch(FakeElasticsearchOptions options)
    : impl_(new Impl(std::move(options))) {}
FakeElasticsearch::~FakeElasticsearch() = default;

std::string FakeElasticsearch::url() const {
  return absl::StrCat("http://127.0.0.1:", impl_->port);
}

void FakeElasticsearch::CreateIndex(const std::string& index, int shards, bool refresh_at_once) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  IndexState state;
  state.uuid = impl_->NewName("uuid");
  state.history = impl_->NewName("history");
  state.shards.resize(shards);
  state.refresh_at_once = refresh_at_once;
  impl_->indices[index] = std::move(state);
}

void FakeElasticsearch::DeleteIndex(const std::string& index) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->indices.erase(index);
}

void FakeElasticsearch::CloseIndex(const std::string& index, bool closed) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->indices.at(index).closed = closed;
}

void FakeElasticsearch::NewHistory(const std::string& index) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->indices.at(index).history = impl_->NewName("history");
}

int64_t FakeElasticsearch::Index(const std::string& index, const std::string& id,
                                 const std::string& source, int shard_number) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  IndexState& state = impl_->indices.at(index);
  Shard& shard = state.shards.at(shard_number);
  uint64_t version = 1;
  if (auto old = shard.number_of_id.find(id); old != shard.number_of_id.end()) {
    version = EraseDocument(shard.documents, old->second).version + 1;
  }
  const int64_t seq_no = ++shard.max_seq_no;
  shard.documents.push_back({seq_no, version, id, source});
  shard.number_of_id[id] = seq_no;
  if (state.refresh_at_once) RefreshShard(shard);
  return seq_no;
}

void FakeElasticsearch::Delete(const std::string& index, const std::string& id, int shard_number) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  IndexState& state = impl_->indices.at(index);
  Shard& shard = state.shards.at(shard_number);
  EraseDocument(shard.documents, shard.number_of_id.at(id));
  shard.number_of_id.erase(id);
  ++shard.max_seq_no;
  if (state.refresh_at_once) RefreshShard(shard);
}

void FakeElasticsearch::Refresh(const std::string& index) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  for (Shard& shard : impl_->indices.at(index).shards) RefreshShard(shard);
}

void FakeElasticsearch::SetFault(const std::string& path_part, ElasticFault fault, int times) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->faults[path_part] = {std::move(fault), times};
}

void FakeElasticsearch::ClearFaults() {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->faults.clear();
}

void FakeElasticsearch::SetPassword(const std::string& password) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->options.password = password;
}

void FakeElasticsearch::SetShardAvailable(const std::string& index, int shard, bool available) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->indices.at(index).shards.at(shard).available = available;
}

FakeElasticsearch::Stats FakeElasticsearch::stats() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->stats;
}

}  // namespace nightjar::fakes
