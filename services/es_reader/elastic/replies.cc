#include "services/es_reader/elastic/replies.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/status/status_macros.h"
#include "simdjson.h"

namespace nightjar::es_reader {
namespace {

namespace dom = simdjson::dom;

absl::Status NotTheReply(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("not the expected answer: ", what));
}

// Settings are strings, statistics numbers. Missing or odd values read as the default.
std::string Text(dom::element element, const char* pointer) {
  std::string_view text;
  return element.at_pointer(pointer).get(text) ? "" : std::string(text);
}

int64_t Integer(dom::element element, const char* pointer, int64_t otherwise) {
  int64_t number = otherwise;
  return element.at_pointer(pointer).get(number) ? otherwise : number;
}

// State documents and the like: reading them would feed us our own output.
bool IsOwnIndex(absl::string_view name) {
  absl::ConsumePrefix(&name, ".ds-");
  return absl::StartsWith(name, "nightjar-");
}

absl::StatusOr<dom::object> ParseObject(dom::parser& parser, absl::string_view json) {
  dom::element root;
  dom::object object;
  if (parser.parse(json.data(), json.size()).get(root) || root.get(object)) {
    return NotTheReply("no JSON object");
  }
  return object;
}

absl::StatusOr<IndexInfo> ParseIndex(std::string_view name, dom::element element) {
  IndexInfo info;
  info.name = std::string(name);
  dom::element settings;
  if (element.at_pointer("/settings/index").get(settings)) {
    return NotTheReply(absl::StrCat("no settings of ", info.name));
  }
  info.uuid = Text(settings, "/uuid");
  if (info.uuid.empty() || !absl::SimpleAtoi(Text(settings, "/number_of_shards"), &info.shards)) {
    return NotTheReply(absl::StrCat("no uuid or number_of_shards of ", info.name));
  }
  info.refresh_interval = ParseTimeValue(Text(settings, "/refresh_interval"));
  int64_t created_ms = 0;
  if (absl::SimpleAtoi(Text(settings, "/creation_date"), &created_ms)) {
    info.created = absl::FromUnixMillis(created_ms);
  }
  info.resize_source = Text(settings, "/resize/source/uuid");
  if (info.resize_source.empty()) info.resize_source = Text(settings, "/resize/source/name");
  info.closed = Text(settings, "/verified_before_close") == "true";
  info.hidden = Text(settings, "/hidden") == "true";
  return info;
}

// Nothing unless `copy` is the started primary.
std::optional<ShardStats> ParseCopy(dom::element copy) {
  bool primary = false;
  if (copy.at_pointer("/routing/primary").get(primary) || !primary ||
      Text(copy, "/routing/state") != "STARTED") {
    return std::nullopt;
  }
  ShardStats stats;
  stats.node = Text(copy, "/routing/node");
  stats.history_uuid = Text(copy, "/commit/user_data/history_uuid");
  stats.max_seq_no = Integer(copy, "/seq_no/max_seq_no", -1);
  stats.global_checkpoint = Integer(copy, "/seq_no/global_checkpoint", -1);
  stats.external_refresh_total = Integer(copy, "/refresh/external_total", 0);
  stats.docs = Integer(copy, "/docs/count", 0);
  stats.store_bytes = Integer(copy, "/store/size_in_bytes", 0);
  return stats;
}

// Without both of these a shard cannot be followed: it counts as not there.
bool IsUsable(const ShardStats& stats) {
  return !stats.node.empty() && !stats.history_uuid.empty() && !stats.index_uuid.empty();
}

absl::Status ParseShards(std::string_view name, dom::element index, std::vector<ShardStats>* all) {
  dom::object shards;
  if (index["shards"].get(shards)) return absl::OkStatus();  // none is assigned
  for (const dom::key_value_pair shard : shards) {
    dom::array copies;
    int number = 0;
    if (!absl::SimpleAtoi(absl::string_view(shard.key.data(), shard.key.size()), &number) ||
        shard.value.get(copies)) {
      return NotTheReply("a shard that is not a numbered list of copies");
    }
    for (dom::element copy : copies) {
      std::optional<ShardStats> stats = ParseCopy(copy);
      if (!stats.has_value()) continue;
      stats->index = std::string(name);
      stats->index_uuid = Text(index, "/uuid");
      stats->shard = number;
      if (IsUsable(*stats)) all->push_back(*std::move(stats));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<dom::element> ParseShardSearch(dom::parser& parser, absl::string_view json) {
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root)) return NotTheReply("no JSON");
  bool timed_out = true;
  if (root["timed_out"].get(timed_out) || timed_out) return NotTheReply("timed out");
  const int64_t total = Integer(root, "/_shards/total", -1);
  const int64_t successful = Integer(root, "/_shards/successful", -1);
  if (total != 1 || successful != 1) {
    return NotTheReply(absl::StrCat(successful, " of ", total, " shards answered"));
  }
  return root;
}

}  // namespace

absl::StatusOr<std::vector<IndexInfo>> ParseSettings(absl::string_view json) {
  dom::parser parser;
  ASSIGN_OR_RETURN(dom::object indices, ParseObject(parser, json));
  std::vector<IndexInfo> infos;
  for (const dom::key_value_pair index : indices) {
    if (IsOwnIndex(absl::string_view(index.key.data(), index.key.size()))) continue;
    ASSIGN_OR_RETURN(IndexInfo info, ParseIndex(index.key, index.value));
    infos.push_back(std::move(info));
  }
  std::sort(infos.begin(), infos.end(),
            [](const IndexInfo& a, const IndexInfo& b) { return a.name < b.name; });
  return infos;
}

absl::StatusOr<std::vector<ShardStats>> ParseStats(absl::string_view json) {
  dom::parser parser;
  ASSIGN_OR_RETURN(dom::object root, ParseObject(parser, json));
  std::vector<ShardStats> all;
  dom::object indices;
  if (root["indices"].get(indices)) return all;  // filter_path leaves out what is empty
  for (const dom::key_value_pair index : indices) {
    if (IsOwnIndex(absl::string_view(index.key.data(), index.key.size()))) continue;
    RETURN_IF_ERROR(ParseShards(index.key, index.value, &all));
  }
  std::sort(all.begin(), all.end(), [](const ShardStats& a, const ShardStats& b) {
    return std::tie(a.index, a.shard) < std::tie(b.index, b.shard);
  });
  return all;
}

absl::StatusOr<RefreshResult> ParseRefresh(absl::string_view json) {
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root)) return NotTheReply("no JSON");
  RefreshResult result;
  result.total = static_cast<int>(Integer(root, "/_shards/total", -1));
  result.successful = static_cast<int>(Integer(root, "/_shards/successful", -1));
  result.failed = static_cast<int>(Integer(root, "/_shards/failed", -1));
  if (result.total < 0 || result.successful < 0 || result.failed < 0) {
    return NotTheReply("no _shards in the answer to _refresh");
  }
  return result;
}

absl::StatusOr<int64_t> ParseCount(absl::string_view json) {
  dom::parser parser;
  ASSIGN_OR_RETURN(dom::element root, ParseShardSearch(parser, json));
  const int64_t count = Integer(root, "/hits/total/value", -1);
  if (count < 0 || Text(root, "/hits/total/relation") != "eq") return NotTheReply("no exact count");
  return count;
}

absl::StatusOr<std::optional<int64_t>> ParseFirstSeqNo(absl::string_view json) {
  dom::parser parser;
  ASSIGN_OR_RETURN(dom::element root, ParseShardSearch(parser, json));
  dom::array hits;
  if (root.at_pointer("/hits/hits").get(hits)) return NotTheReply("no hits");
  if (hits.size() == 0) return std::optional<int64_t>();
  const int64_t seq_no = Integer(hits.at(0).value(), "/_seq_no", -1);
  if (seq_no < 0) return NotTheReply("a hit without _seq_no");
  return std::optional<int64_t>(seq_no);
}

std::optional<absl::Duration> ParseTimeValue(absl::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "-1") return -absl::Seconds(1);
  std::string duration(text);
  absl::string_view stem = text;
  double days = 0;
  if (absl::ConsumeSuffix(&stem, "micros")) {
    duration = absl::StrCat(stem, "us");
  } else if (absl::ConsumeSuffix(&stem, "nanos")) {
    duration = absl::StrCat(stem, "ns");
  } else if (absl::ConsumeSuffix(&stem, "d") && absl::SimpleAtod(stem, &days)) {
    return absl::Hours(24) * days;
  }
  absl::Duration value;
  if (!absl::ParseDuration(duration, &value)) return std::nullopt;
  return value;
}

}  // namespace nightjar::es_reader
