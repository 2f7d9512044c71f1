#include "services/analytics_engine/api/event_echo.h"

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/api/event_fields.h"
#include "services/common/analytics_api/json_writer.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

namespace dom = simdjson::dom;

bool IsReadable(absl::string_view key, dom::element value) {
  const auto field = AllFields().find(key);
  if (field == AllFields().end() || value.is_null()) return true;
  telemetry::v1::Event scratch;
  std::string index;
  return field->second(value, {scratch, index}) == nullptr;
}

}  // namespace

std::string EchoEvent(absl::string_view line) {
  dom::parser parser;
  dom::object object;
  CHECK(parser.parse(line.data(), line.size(), /*realloc_if_needed=*/false).get(object) ==
        simdjson::SUCCESS);
  bool whole = true;
  std::string readable = "{";
  for (const auto [name, value] : object) {
    const absl::string_view key(name.data(), name.size());
    if (!IsReadable(key, value)) {
      whole = false;
      continue;
    }
    absl::StrAppend(&readable, readable.size() > 1 ? ",\"" : "\"");
    analytics_api::AppendJsonEscaped(key, &readable);
    absl::StrAppend(&readable, "\":", simdjson::to_string(value));
  }
  readable.push_back('}');
  return whole ? std::string(line) : readable;
}

}  // namespace nightjar::analytics_engine
