#include "services/es_reader/schema/decoder_options.h"

namespace nightjar::es_reader {

DecoderOptions DecoderOptionsFromConfig(const config::Config& config) {
  DecoderOptions options;
  options.site = config.reader.site;
  options.redact_url = config.privacy.redact_url;
  options.secret_parameters = config.privacy.secret_parameters;
  options.searches = config.elastic.searches;
  return options;
}

}  // namespace nightjar::es_reader
