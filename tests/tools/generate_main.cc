// Writes generated telemetry with numbered ids into a real Elasticsearch.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/e2e/elastic_admin.h"
#include "tests/e2e/telemetry.h"

namespace nightjar::e2e {
namespace {

struct Options {
  std::string url = "http://127.0.0.1:9200";
  std::string index = "packetbeat-7.17.29-generated";
  std::string template_path;
  std::string refresh = "1s";
  std::string type = "mixed";
  uint64_t first = 1;
  uint64_t count = 100000;
  uint64_t rate = 0;  // documents a second, all writers together; 0: as fast as it goes
  int writers = 2;
  int shards = 1;
  int bulk = 500;
  int age_seconds = 0;  // how far back the times lie
  uint64_t late = 0;    // of the documents, the last this many carry times of 30 s before
  bool whole_seconds = false;
  bool no_ingested = false;
};

DocumentType TypeFor(const Options& options, uint64_t id) {
  if (options.type == "dns") return DocumentType::kDns;
  if (options.type == "flow") return DocumentType::kFlow;
  if (options.type == "http") return DocumentType::kHttp;
  if (options.type == "tls") return DocumentType::kTls;
  return MixedType(id);
}

// Writes the ids first + offset + k * writers, in bulks, at its share of the rate.
absl::Status Write(const Options& options, int offset) {
  ElasticAdmin elastic(options.url);
  const auto start = std::chrono::steady_clock::now();
  std::vector<BulkItem> items;
  uint64_t written = 0;
  for (uint64_t n = offset; n < options.count; n += options.writers) {
    const uint64_t id = options.first + n;
    DocumentOptions document;
    document.time = absl::Now() - absl::Seconds(options.age_seconds);
    if (n + options.late >= options.count) document.time -= absl::Seconds(30);
    document.whole_seconds = options.whole_seconds;
    document.with_ingested = !options.no_ingested;
    items.push_back(
        {absl::StrCat("nj", id, "x"), MakeDocument(TypeFor(options, id), id, document)});
    if (static_cast<int>(items.size()) < options.bulk && n + options.writers < options.count) {
      continue;
    }
    if (absl::Status status = elastic.Bulk(options.index, items); !status.ok()) return status;
    written += items.size();
    items.clear();
    if (options.rate > 0) {
      const double seconds = static_cast<double>(written) * options.writers / options.rate;
      std::this_thread::sleep_until(start + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                std::chrono::duration<double>(seconds)));
    }
  }
  return absl::OkStatus();
}

int Run(const Options& options) {
  ElasticAdmin elastic(options.url);
  if (!options.template_path.empty()) {
    if (absl::Status status = elastic.PutTemplate(options.template_path); !status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  if (!elastic.Count(options.index).ok()) {
    absl::Status status = elastic.CreateIndex(options.index, options.shards, options.refresh);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  std::mutex mutex;
  absl::Status result;
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> writers;
  for (int i = 0; i < options.writers; ++i) {
    writers.emplace_back([&, i] {
      absl::Status status = Write(options, i);
      std::lock_guard<std::mutex> lock(mutex);
      result.Update(status);
    });
  }
  for (std::thread& writer : writers) writer.join();
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", std::string(result.message()).c_str());
    return 1;
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::printf("%llu documents in %.1f s, %.0f/s\n", static_cast<unsigned long long>(options.count),
              taken.count(), options.count / taken.count());
  return 0;
}

}  // namespace
}  // namespace nightjar::e2e

int main(int argc, char** argv) {
  nightjar::e2e::Options options;
  CLI::App app("Writes generated telemetry into Elasticsearch.");
  app.add_option("--url", options.url);
  app.add_option("--index", options.index, "created when it is not there");
  app.add_option("--template", options.template_path, "index template to install first");
  app.add_option("--refresh", options.refresh, "refresh_interval of a new index");
  app.add_option("--shards", options.shards, "of a new index");
  app.add_option("--type", options.type, "mixed, dns, flow, http or tls");
  app.add_option("--first", options.first, "first id");
  app.add_option("--count", options.count);
  app.add_option("--rate", options.rate, "documents a second; 0: unlimited");
  app.add_option("--writers", options.writers);
  app.add_option("--bulk", options.bulk, "documents a request");
  app.add_option("--age_seconds", options.age_seconds, "times lie this far back");
  app.add_option("--late", options.late, "the last this many documents are 30 s late");
  app.add_flag("--whole_seconds", options.whole_seconds, "event.ingested without fractions");
  app.add_flag("--no_ingested", options.no_ingested, "no event.ingested at all");
  CLI11_PARSE(app, argc, argv);
  return nightjar::e2e::Run(options);
}
