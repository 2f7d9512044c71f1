// The writing side of a real Elasticsearch, for tests and measurements.
#ifndef TESTS_E2E_ELASTIC_ADMIN_H_
#define TESTS_E2E_ELASTIC_ADMIN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nightjar::e2e {

struct BulkItem {
  std::string id;      // empty: Elasticsearch makes one
  std::string source;  // one line of JSON
};

// Blocking; every object is for one thread. Errors name the request and the reply.
class ElasticAdmin {
 public:
  explicit ElasticAdmin(std::string url) : url_(std::move(url)) {}

  // Installs the recorded Packetbeat mapping (`template_path`) for packetbeat-*.
  absl::Status PutTemplate(const std::string& template_path);
  absl::Status CreateIndex(const std::string& index, int shards,
                           const std::string& refresh_interval);
  absl::Status DeleteIndex(const std::string& index);
  absl::Status Refresh(const std::string& index);
  absl::StatusOr<uint64_t> Count(const std::string& index);

  // Op `create`, as Packetbeat does. Retries while the node answers 429 or is away, for a minute;
  // every item must be accepted.
  absl::Status Bulk(const std::string& index, const std::vector<BulkItem>& items);

 private:
  absl::StatusOr<std::string> Call(const std::string& method, const std::string& path,
                                   const std::string& body);
  std::string url_;
};

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_ELASTIC_ADMIN_H_
