#include "tests/e2e/telemetry.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace nightjar::e2e {
namespace {

// A template cut at its places, so that filling one in is only appending.
struct Template {
  explicit Template(absl::string_view text) {
    const std::string line = absl::StrReplaceAll(text, {{"\n", ""}});
    for (absl::string_view piece : absl::StrSplit(line, "__")) pieces.emplace_back(piece);
  }
  std::vector<std::string> pieces;  // odd ones are the names of places
};

const Template& TemplateOf(DocumentType type) {
  static const auto* const dns = new Template(kDnsTemplate);
  static const auto* const flow = new Template(kFlowTemplate);
  static const auto* const http = new Template(kHttpTemplate);
  static const auto* const tls = new Template(kTlsTemplate);
  switch (type) {
    case DocumentType::kDns:
      return *dns;
    case DocumentType::kFlow:
      return *flow;
    case DocumentType::kHttp:
      return *http;
    case DocumentType::kTls:
      return *tls;
  }
  return *dns;
}

std::string Stamp(absl::Time time, bool whole_seconds) {
  return absl::FormatTime(whole_seconds ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%E3SZ", time,
                          absl::UTCTimeZone());
}

}  // namespace

DocumentType MixedType(uint64_t id) {
  const uint64_t percent = id % 100;
  if (percent < 45) return DocumentType::kDns;
  if (percent < 85) return DocumentType::kFlow;
  if (percent < 93) return DocumentType::kHttp;
  return DocumentType::kTls;
}

std::string MakeDocument(DocumentType type, uint64_t id, const DocumentOptions& options) {
  const std::string time = Stamp(options.time, false);
  const std::string ingested =
      Stamp(options.ingested.value_or(options.time), options.whole_seconds);
  std::string document;
  document.reserve(8192);
  const std::vector<std::string>& pieces = TemplateOf(type).pieces;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i % 2 == 0) {
      document += pieces[i];
    } else if (pieces[i] == "ID") {
      absl::StrAppend(&document, "nj", id, "x");
    } else if (pieces[i] == "TIME") {
      document += time;
    } else if (pieces[i] == "INGESTED") {
      document += ingested;
    } else {
      absl::StrAppend(&document, id / 250 % 200, ".", id % 250 + 1);
    }
  }
  if (options.with_ingested) return document;
  // Another field of the same object in its place keeps the commas right.
  const std::string field = absl::StrCat("\"ingested\":\"", ingested, "\"");
  return absl::StrReplaceAll(document, {{field, "\"sequence\":1"}});
}

}  // namespace nightjar::e2e
