#include "services/analytics_engine/api/event_decoder.h"

#include "services/analytics_engine/api/event_fields.h"
#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

using telemetry::v1::Event;

// An event without any field of its type is still of that type.
void SetBody(Event::BodyCase type, Event* event) {
  switch (type) {
    case Event::kDns:
      event->mutable_dns();
      return;
    case Event::kIp:
      event->mutable_ip();
      return;
    case Event::kHttp:
      event->mutable_http();
      return;
    case Event::kTls:
      event->mutable_tls();
      return;
    case Event::kIcmp:
      event->mutable_icmp();
      return;
    case Event::kLease:
      event->mutable_lease();
      return;
    default:
      CHECK(false);  // no path
  }
}

}  // namespace

const char* EventDecoder::Decode(Event::BodyCase type, absl::string_view line, Event* event,
                                 std::string* index) {
  index->clear();
  SetBody(type, event);
  if (line.size() > kLineBytesMax) return "line_too_long";
  simdjson::dom::element document;
  // The whole line is parsed, known fields or not: it is given back in alerts as it is.
  if (parser_.parse(line.data(), line.size(), /*realloc_if_needed=*/false).get(document) !=
      simdjson::SUCCESS) {
    return "bad_json";
  }
  simdjson::dom::object object;
  if (document.get(object) != simdjson::SUCCESS) return "not_an_object";
  const FieldTable& fields = FieldsOf(type);
  for (const auto [key, value] : object) {
    const auto field = fields.find(absl::string_view(key.data(), key.size()));
    if (field == fields.end() || value.is_null()) continue;
    if (const char* problem = field->second(value, {*event, *index})) return problem;
  }
  return nullptr;
}

}  // namespace nightjar::analytics_engine
