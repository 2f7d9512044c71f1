// What the configuration says about turning documents into events.
#ifndef SERVICES_ES_READER_SCHEMA_DECODER_OPTIONS_H_
#define SERVICES_ES_READER_SCHEMA_DECODER_OPTIONS_H_

#include <string>
#include <vector>

#include "services/common/config/config.h"

namespace nightjar::es_reader {

struct DecoderOptions {
  // Event.site of every event.
  std::string site;
  // privacy.redact_url and the parameters whose values are masked.
  bool redact_url = true;
  std::vector<std::string> secret_parameters = config::PrivacyConfig().secret_parameters;
  // The user's searches: types wanted, must_have_fields, field_names. Empty: everything is wanted
  // as it comes.
  std::vector<config::SearchConfig> searches;
};

DecoderOptions DecoderOptionsFromConfig(const config::Config& config);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_DECODER_OPTIONS_H_
