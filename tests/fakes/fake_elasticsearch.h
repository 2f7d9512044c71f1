// An Elasticsearch node as far as the reader sees it: shards, sequence numbers, refresh, and faults
// on request.
#ifndef TESTS_FAKES_FAKE_ELASTICSEARCH_H_
#define TESTS_FAKES_FAKE_ELASTICSEARCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::fakes {

// What matching requests get instead of a proper answer.
struct ElasticFault {
  enum class Kind {
    kStatus,         // `status`, `body`, `content_type`
    kReset,          // the connection closes without a reply
    kSlow,           // `delay`, then the proper answer
    kTimedOut,       // searches only: 200 with timed_out true and no hits
    kPartialShards,  // searches only: 200 with _shards.successful 0, failed 1 and no hits
  };
  Kind kind = Kind::kStatus;
  int status = 503;
  std::string body = R"({"error":{"type":"told_to_fail","reason":"told to fail"},"status":503})";
  std::string content_type = "application/json";
  absl::Duration delay;
};

struct FakeElasticsearchOptions {
  std::string username;  // empty: no authentication
  std::string password;
};

// Serves on a loopback port from construction to destruction. Thread-safe. Numbers, visibility and
// the shapes of replies follow real nodes: a document gets the next number of its shard and is
// found by a search after a refresh.
class FakeElasticsearch {
 public:
  explicit FakeElasticsearch(FakeElasticsearchOptions options = {});
  ~FakeElasticsearch();

  std::string url() const;

  // `refresh_at_once`: every write is searchable at once; otherwise Refresh() or the API's _refresh
  // makes it so.
  void CreateIndex(const std::string& index, int shards = 1, bool refresh_at_once = true);
  void DeleteIndex(const std::string& index);
  void CloseIndex(const std::string& index, bool closed);
  // Same name and documents, other history: what a restore over the index does.
  void NewHistory(const std::string& index);

  // Indexes a document under the shard's next number, which is returned. An existing id makes a new
  // version, and the number of the old one becomes a hole. `source` is sent back as given, so it
  // need not be valid.
  int64_t Index(const std::string& index, const std::string& id, const std::string& source,
                int shard = 0);
  // Uses up a number and leaves a hole there and at the document's own.
  void Delete(const std::string& index, const std::string& id, int shard = 0);
  void Refresh(const std::string& index);

  // The next `times` requests whose path contains `path_part` fail so. 0 times: clears faults for
  // it; -1: until cleared.
  void SetFault(const std::string& path_part, ElasticFault fault, int times = -1);
  void ClearFaults();
  void SetPassword(const std::string& password);
  // False: the shard's primary is gone from _stats and searches on it find no shard.
  void SetShardAvailable(const std::string& index, int shard, bool available);

  struct Stats {
    uint64_t searches = 0;
    uint64_t stats_requests = 0;
    uint64_t refreshes = 0;                     // through the API
    std::vector<std::string> unknown_requests;  // "GET /path": answered 400
  };
  Stats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::fakes

#endif  // TESTS_FAKES_FAKE_ELASTICSEARCH_H_
