// What es-reader takes from config.yml.
#ifndef SERVICES_ES_READER_CONFIG_H_
#define SERVICES_ES_READER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/common/config/config.h"
#include "services/common/rpc/flow_pool.h"
#include "services/common/rpc/security.h"
#include "services/es_reader/elastic/elastic_options.h"
#include "services/es_reader/schema/decoder_options.h"
#include "services/es_reader/throttle.h"

namespace nightjar::es_reader {

struct ReaderOptions {
  ElasticOptions elastic;
  std::vector<std::string> patterns;  // index names, wildcards, aliases, data streams
  std::vector<SearchFilter> filters;  // users' search terms
  DecoderOptions decoder;
  ThrottleOptions throttle;
  absl::Duration poll_interval = absl::Seconds(1);
  std::string start = "24h";         // reader.start, valid
  bool start_was_set = false;        // ... to something else than the default
  std::string data_dir;              // where NFR's bookmarks are, if any
  std::string state_folder;          // <data.dir>/es_reader
  std::vector<std::string> scorers;  // where they are; a name may stand for several
  rpc::SecurityOptions security;
};

// Exit code 78 (ConfigError) when there is nothing to read or a value cannot be used.
absl::StatusOr<ReaderOptions> OptionsFromConfig(const config::Config& config);

// One life of this reader, named so that downstream tells it from every other.
rpc::FlowPoolOptions FlowOptions(const ReaderOptions& options, uint64_t fencing_token);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_CONFIG_H_
