// What metrics tell of the configuration.
#ifndef SERVICES_COMMON_RUNTIME_DESCRIBE_CONFIG_H_
#define SERVICES_COMMON_RUNTIME_DESCRIBE_CONFIG_H_

#include "absl/strings/string_view.h"
#include "services/common/config/config.h"
#include "services/common/runtime/stage_metrics.h"

namespace nightjar::runtime {

// The transports that a stage uses, its certificate, its folder. `sections` are those that it reads
// (config::Sections): they say whether it talks to Elasticsearch and to the engine. `listen`
// is where its own servers listen, host:port.
void DescribeConfig(const config::Config& config, unsigned sections, absl::string_view listen,
                    StageMetrics* metrics);

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_DESCRIBE_CONFIG_H_
