// What the engine's detectors find in files of documents, one line a finding. Each file is judged
// by itself. Lists: --list NAME=FILE, before the files.
//
//   bazel run //tests/detections:detect -- --list c2=$PWD/c2.txt $PWD/day.ndjson.gz
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "services/analytics_engine/detectors/detectors.h"
#include "services/common/metrics/metrics.h"
#include "services/common/signals/lists.h"
#include "tests/detections/recording.h"

namespace nightjar::tests {
namespace {

void Detect(const std::string& path, const analytics_engine::DetectorOptions& options) {
  metrics::Metrics metrics;
  analytics_engine::Detectors detectors(options, metrics);
  size_t unreadable = 0;
  const auto events = EventsOfFile(path, &unreadable);
  for (const telemetry::v1::Event& event : events) {
    std::vector<analytics_engine::Finding> findings;
    detectors.Evaluate(event, kRecordingIndex, &findings);
    for (const analytics_engine::Finding& finding : findings) {
      std::printf("%s\t%lld\t%s\t%s\t%d\t%s\t%s\n", path.c_str(),
                  static_cast<long long>(event.time_unix_nano()), event.source_ip().c_str(),
                  finding.threat.c_str(), finding.severity, finding.key.c_str(),
                  finding.evidence.measure.c_str());
    }
  }
  std::printf("%s\t%zu events, %zu unreadable\n", path.c_str(), events.size(), unreadable);
}

int Main(const std::vector<std::string>& arguments) {
  analytics_engine::DetectorOptions options;
  std::vector<signals::ListFile> files;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--list" && i + 1 < arguments.size()) {
      const std::pair<std::string, std::string> list =
          absl::StrSplit(arguments[++i], absl::MaxSplits('=', 1));
      files.push_back({list.first, list.second});
      auto lists = signals::ListSet::Load(files);
      if (!lists.ok()) return std::fprintf(stderr, "%s\n", lists.status().ToString().c_str()), 78;
      options.lists = *lists;
    } else {
      Detect(arguments[i], options);
    }
  }
  return 0;
}

}  // namespace
}  // namespace nightjar::tests

int main(int argc, char** argv) {
  return nightjar::tests::Main(std::vector<std::string>(argv + 1, argv + argc));
}
