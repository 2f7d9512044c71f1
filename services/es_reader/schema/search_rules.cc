#include "services/es_reader/schema/search_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {
namespace {

EventKind KindOf(config::EventType type) {
  switch (type) {
    case config::EventType::kDns:
      return EventKind::kDns;
    case config::EventType::kIp:
      return EventKind::kFlow;
    case config::EventType::kHttp:
      return EventKind::kHttp;
    case config::EventType::kTls:
      return EventKind::kTls;
  }
  return EventKind::kOther;
}

// NFR's names of fields. event_ingested has no meaning here: reading does not go by time.
std::optional<Field> FieldByNfrName(absl::string_view name) {
  static constexpr std::pair<absl::string_view, Field> kNames[] = {
      {"timestamp", kTimestamp},
      {"src_ip", kSourceIp},
      {"src_port", kSourcePort},
      {"dest_ip", kDestinationIp},
      {"dest_port", kDestinationPort},
      {"query", kDnsName},
      {"qtype", kDnsType},
      {"proto", kTransport},
      {"bytes_in", kDestinationBytes},
      {"bytes_out", kSourceBytes},
      {"url", kUrlFull},
      {"method", kHttpMethod},
      {"status", kHttpStatus},
      {"status_code", kHttpStatus},
      {"user_agent", kUserAgent},
      {"content_type", kContentType},
      {"referrer", kHttpReferrer},
      {"cert_hash", kCertificateSha1},
      {"issuer", kIssuer},
      {"subject", kSubject},
      {"valid_from", kNotBefore},
      {"valid_to", kNotAfter},
      {"ja3", kJa3},
      {"ja3s", kJa3s},
  };
  for (const auto& [nfr_name, field] : kNames) {
    if (nfr_name == name) return field;
  }
  return std::nullopt;
}

}  // namespace

SearchRules::SearchRules(const std::vector<config::SearchConfig>& searches, FieldTable* table) {
  for (const config::SearchConfig& search : searches) {
    Rule rule{KindOf(search.event_type), absl::StrCat(rules_.size()), {}, {}};
    for (const std::string& path : search.must_have_fields) {
      rule.must_have.push_back(table->AddPath(path));
    }
    for (const auto& [name, path] : search.field_names) {
      const std::optional<Field> field = FieldByNfrName(name);
      if (field.has_value() && !path.empty()) {
        rule.overrides.push_back({table->AddPath(path), *field});
      }
    }
    rules_.push_back(std::move(rule));
  }
}

void SearchRules::ApplyFieldNames(EventKind kind, SourceFields* fields) const {
  for (const Rule& rule : rules_) {
    if (rule.kind != kind) continue;
    for (const Override& own : rule.overrides) {
      const SourceFields::Path& path = fields->paths[own.path];
      if (!path.text.empty()) fields->Set(own.field, path.text);
    }
  }
}

EventKind SearchRules::ClassifyByFieldNames(const SourceFields& fields) const {
  for (const Rule& rule : rules_) {
    for (const Override& own : rule.overrides) {
      const bool tells = own.field == kDnsName || own.field == kUrlFull ||
                         own.field == kCertificateSha1 || own.field == kJa3;
      if (tells && !fields.paths[own.path].text.empty()) return rule.kind;
    }
  }
  return EventKind::kOther;
}

absl::string_view SearchRules::Refusal(EventKind kind, const SourceFields& fields,
                                       const std::vector<absl::string_view>* matched) const {
  const bool has_searches = kind == EventKind::kDns || kind == EventKind::kFlow ||
                            kind == EventKind::kHttp || kind == EventKind::kTls;
  if (rules_.empty() || !has_searches) return "";
  absl::string_view reason = "not_searched";
  for (const Rule& rule : rules_) {
    if (rule.kind != kind) continue;
    if (matched != nullptr &&
        std::find(matched->begin(), matched->end(), rule.name) == matched->end()) {
      reason = "search_term";
      continue;
    }
    const bool complete = std::all_of(rule.must_have.begin(), rule.must_have.end(),
                                      [&](int path) { return fields.paths[path].seen; });
    if (complete) return "";
    reason = "must_have_field";
  }
  return reason;
}

}  // namespace nightjar::es_reader
