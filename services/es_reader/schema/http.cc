#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/es_reader/schema/body.h"

namespace nightjar::es_reader {
namespace {

// url.full; else url.original if it is one; else put together from its parts. Empty when there is
// not even a host.
std::string Url(const SourceFields& fields) {
  if (const absl::string_view full = fields.text(kUrlFull); !full.empty()) return std::string(full);
  const absl::string_view original = fields.text(kUrlOriginal);
  if (absl::StrContains(original, "://")) return std::string(original);

  absl::string_view host = fields.text(kUrlDomain);
  if (host.empty()) host = fields.text(kDestinationIp);
  if (host.empty()) return "";
  const bool bare_ipv6 = absl::StrContains(host, ':') && !absl::StartsWith(host, "[");
  const absl::string_view scheme = fields.has(kUrlScheme) ? fields.text(kUrlScheme) : "http";
  std::string url = absl::StrCat(scheme, "://", bare_ipv6 ? "[" : "", host, bare_ipv6 ? "]" : "");
  if (fields.has(kUrlPort)) absl::StrAppend(&url, ":", fields.text(kUrlPort));
  const absl::string_view path = original.empty() ? fields.text(kUrlPath) : original;
  if (!absl::StartsWith(path, "/")) url += '/';
  absl::StrAppend(&url, path);
  if (original.empty() && !fields.text(kUrlQuery).empty()) {
    absl::StrAppend(&url, "?", fields.text(kUrlQuery));
  }
  return url;
}

// "text/html" of "text/html; charset=UTF-8".
std::string MediaType(FieldReader& reader) {
  std::string type = reader.Lower({kContentType, kMimeType});
  type.resize(std::min(type.size(), type.find(';')));
  absl::StripAsciiWhitespace(&type);
  return type;
}

}  // namespace

void FillHttp(FieldReader& reader, const Redactor* redactor, telemetry::v1::Event* event) {
  telemetry::v1::Http* http = event->mutable_http();
  std::string url = Url(reader.fields());
  if (url.empty()) reader.Fail("missing_url", "no url.full, url.domain or destination.ip");
  std::string referrer = reader.Text({kHttpReferrer});
  if (redactor != nullptr) {
    const bool in_url = redactor->Redact(&url);
    const bool in_referrer = redactor->Redact(&referrer);
    http->set_url_had_secret(in_url || in_referrer);
  }
  http->set_url(std::move(url));
  http->set_referrer(std::move(referrer));
  http->set_method(reader.Upper(kHttpMethod));
  http->set_status(reader.Number(kHttpStatus, 999));
  auto bytes_in = reader.Count(kDestinationBytes);
  if (!bytes_in.has_value()) bytes_in = reader.Count(kHttpResponseBytes);
  if (bytes_in.has_value()) http->set_bytes_in(*bytes_in);
  auto bytes_out = reader.Count(kSourceBytes);
  if (!bytes_out.has_value()) bytes_out = reader.Count(kHttpRequestBytes);
  if (bytes_out.has_value()) http->set_bytes_out(*bytes_out);
  http->set_content_type(MediaType(reader));
  http->set_user_agent(reader.Text({kUserAgent}));
}

}  // namespace nightjar::es_reader
