#include "services/es_reader/config.h"

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "services/common/rpc/security_config.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/start_policy.h"

namespace nightjar::es_reader {

absl::StatusOr<ReaderOptions> OptionsFromConfig(const config::Config& config) {
  if (!config.elastic.enabled) {
    return ConfigError(absl::StrCat(config.path,
                                    ": inputs.elastic is not enabled, so es-reader "
                                    "has nothing to read: set inputs.elastic.enabled: true"));
  }
  ReaderOptions options;
  ASSIGN_OR_RETURN(options.elastic, FromConfig(config.elastic));
  options.patterns = IndexPatterns(config.elastic);
  options.filters = FiltersFromConfig(config.elastic);
  options.decoder = DecoderOptionsFromConfig(config);
  options.throttle.docs_per_second_max = config.reader.max_docs_per_second;
  options.throttle.searches_in_flight_max = config.reader.searches_in_flight_max;
  options.throttle.fetch_bytes_max = config.reader.fetch_bytes_max;
  options.poll_interval = config.reader.poll_interval;
  RETURN_IF_ERROR(ResolveStart(config.reader.start, absl::UnixEpoch()).status());
  options.start = config.reader.start;
  options.start_was_set = config.reader.start != config::ReaderConfig().start;
  options.data_dir = config.data.dir;
  options.state_folder = absl::StrCat(config.data.dir, "/es_reader");
  options.scorers = config.services.scorer.addresses;
  if (options.scorers.empty()) {
    return ConfigError(absl::StrCat(config.path, ": services.scorer.address: no address"));
  }
  options.security = rpc::FromConfig(config.security);
  return options;
}

rpc::FlowPoolOptions FlowOptions(const ReaderOptions& options, uint64_t fencing_token) {
  rpc::FlowPoolOptions flow;
  flow.addresses = options.scorers;
  absl::BitGen random;
  flow.source =
      absl::StrFormat("es-reader-%d-%016x", fencing_token, absl::Uniform<uint64_t>(random));
  return flow;
}

}  // namespace nightjar::es_reader
