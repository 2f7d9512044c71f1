#include "services/common/runtime/describe_config.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/common/config/endpoint.h"

namespace nightjar::runtime {
namespace {

bool IsInsecure(const std::vector<std::string>& urls, bool insecure_skip_verify) {
  return insecure_skip_verify || std::any_of(urls.begin(), urls.end(), [](const std::string& url) {
           return config::IsPlainTextOffHost(url);
         });
}

}  // namespace

void DescribeConfig(const config::Config& config, unsigned sections, absl::string_view listen,
                    StageMetrics* metrics) {
  const bool tls = !config.security.ca_file.empty();
  metrics->SetInsecure("stages",
                       !tls && config::IsPlainTextOffHost(absl::StrCat("http://", listen)));
  if ((sections & config::kElastic) != 0) {
    metrics->SetInsecure("elasticsearch",
                         IsInsecure(config.elastic.hosts, config.elastic.insecure_skip_verify));
  }
  if ((sections & config::kEngine) != 0) {
    metrics->SetInsecure("engine",
                         IsInsecure(config.engine.hosts, config.engine.insecure_skip_verify));
  }
  metrics->WatchCertificate(config.security.certificate_file);
  metrics->WatchFolder(config.data.dir);
}

}  // namespace nightjar::runtime
