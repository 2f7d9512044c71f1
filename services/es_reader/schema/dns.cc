#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "services/es_reader/schema/body.h"
#include "services/es_reader/schema/values.h"

namespace nightjar::es_reader {
namespace {

// Undoes \DDD where it stands for a printable character, so that names compare as people write
// them. A dot or backslash inside a label stays escaped, and so do other bytes: the text would no
// longer be UTF-8, or not mean the same name.
std::string UnescapePrintable(absl::string_view name) {
  std::string out;
  out.reserve(name.size());
  for (size_t i = 0; i < name.size(); ++i) {
    int code = 0;
    if (name[i] == '\\' && i + 3 < name.size() && absl::ascii_isdigit(name[i + 1]) &&
        absl::SimpleAtoi(name.substr(i + 1, 3), &code) && code > ' ' && code < 0x7f &&
        code != '.' && code != '\\') {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += name[i];
    }
  }
  return out;
}

std::string QueryName(absl::string_view name) {
  if (name.size() > 1) {
    absl::string_view before = name;
    // The final dot goes, unless it is a character of the label ("\.").
    if (absl::ConsumeSuffix(&before, ".") && !absl::EndsWith(before, "\\")) name = before;
  }
  return absl::StrContains(name, '\\') ? UnescapePrintable(name) : std::string(name);
}

void FillAnswers(const SourceFields& fields, telemetry::v1::Dns* dns) {
  for (const AnswerFields& from : fields.answers) {
    telemetry::v1::DnsAnswer* answer = dns->add_answers();
    answer->set_name(std::string(from.name));
    answer->set_type(absl::AsciiStrToUpper(from.type));
    answer->set_data(std::string(from.data));
    const int64_t ttl = ParseInteger(from.ttl).value_or(0);
    if (ttl > 0 && ttl <= UINT32_MAX) answer->set_ttl_seconds(static_cast<uint32_t>(ttl));
  }
}

}  // namespace

void FillDns(FieldReader& reader, telemetry::v1::Event* event) {
  const SourceFields& fields = reader.fields();
  telemetry::v1::Dns* dns = event->mutable_dns();
  const absl::string_view name = fields.text(kDnsName);
  if (name.empty()) reader.Fail("missing_name", "no dns.question.name");
  dns->set_query(QueryName(name));
  dns->set_query_type(reader.Upper(kDnsType));
  dns->set_transport(reader.Lower({kTransport}));
  if (const auto bytes = reader.Count(kSourceBytes)) dns->set_query_bytes(*bytes);
  if (const auto bytes = reader.Count(kDestinationBytes)) dns->set_response_bytes(*bytes);
  // Packetbeat writes NOERROR where nobody answered; only its remark tells.
  const absl::string_view remark = fields.text(kErrorMessage);
  dns->set_unanswered(absl::StrContains(remark, "No response to this query"));
  // The question was asked again under the same id before an answer came: the answer is with the
  // later document.
  const bool repeated = absl::StrContains(remark, "Another query with the same DNS ID");
  if (!dns->unanswered() && !repeated) dns->set_response_code(reader.Upper(kDnsResponseCode));
  FillAnswers(fields, dns);
}

}  // namespace nightjar::es_reader
