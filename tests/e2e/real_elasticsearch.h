// A real Elasticsearch 7.17 node for a test, from the jars in the cache.
#ifndef TESTS_E2E_REAL_ELASTICSEARCH_H_
#define TESTS_E2E_REAL_ELASTICSEARCH_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"

namespace nightjar::e2e {

// Not thread-safe. The destructor kills the node.
class RealElasticsearch {
 public:
  // `script` is deploy/local/elasticsearch/elasticsearch.sh; `folder` gets data and logs.
  RealElasticsearch(std::string script, std::string folder)
      : script_(std::move(script)), folder_(std::move(folder)) {}
  ~RealElasticsearch() { Kill(); }

  // Blocks until it answers. After a stop it starts again on the same port with the same data.
  absl::Status Start();
  // A crash: kill -9.
  void Kill();
  std::string url() const;

 private:
  std::string script_;
  std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace nightjar::e2e

#endif  // TESTS_E2E_REAL_ELASTICSEARCH_H_
