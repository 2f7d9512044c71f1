#include "services/es_reader/position.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "services/es_reader/json_text.h"
#include "simdjson.h"

namespace nightjar::es_reader {
namespace {

namespace dom = simdjson::dom;

constexpr int64_t kFormat = 1;
constexpr absl::string_view kStartNames[] = {"earliest", "latest",
                                             "since"};  // by StartPolicy::Kind

absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("position: ", what));
}

// An object with exactly the fields that are asked for.
class Fields {
 public:
  static absl::StatusOr<Fields> Of(dom::element element, absl::string_view what, size_t count) {
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return Bad(absl::StrCat(what, ": no object"));
    if (object.size() != count) return Bad(absl::StrCat(what, ": unknown or missing fields"));
    return Fields(object, what);
  }

  absl::StatusOr<int64_t> Integer(const char* name) const {
    int64_t value;
    if (object_[name].get(value) != simdjson::SUCCESS) return Missing(name, "integer");
    return value;
  }
  absl::StatusOr<std::string> String(const char* name) const {
    std::string_view value;
    if (object_[name].get(value) != simdjson::SUCCESS) return Missing(name, "string");
    return std::string(value);
  }
  absl::StatusOr<dom::array> Array(const char* name) const {
    dom::array value;
    if (object_[name].get(value) != simdjson::SUCCESS) return Missing(name, "list");
    return value;
  }

 private:
  Fields(dom::object object, absl::string_view what) : object_(object), what_(what) {}
  absl::Status Missing(const char* name, const char* kind) const {
    return Bad(absl::StrCat(what_, ": ", name, " is not there or no ", kind));
  }

  dom::object object_;
  std::string what_;
};

absl::StatusOr<checkpoint::IntervalSet> DecodeClosed(dom::array array) {
  checkpoint::IntervalSet closed;
  int64_t end = -2;  // of the interval before
  for (const dom::element element : array) {
    dom::array pair;
    int64_t from, to;
    if (element.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(0).get(from) != simdjson::SUCCESS || pair.at(1).get(to) != simdjson::SUCCESS) {
      return Bad("closed: an interval is not a pair of integers");
    }
    if (from < -1 || from <= end || to <= from) {
      return Bad(absl::StrCat("closed: interval ", from, " to ", to, " is out of order"));
    }
    closed.Add(from, to);
    end = to;
  }
  return closed;
}

absl::Status DecodeShard(dom::element element, Position* position) {
  ASSIGN_OR_RETURN(const Fields fields, Fields::Of(element, "shard", 5));
  ASSIGN_OR_RETURN(const std::string epoch, fields.String("epoch"));
  ShardPosition shard;
  ASSIGN_OR_RETURN(shard.index, fields.String("index"));
  ASSIGN_OR_RETURN(shard.first_checkpoint, fields.Integer("first_checkpoint"));
  ASSIGN_OR_RETURN(const int64_t last_seen, fields.Integer("last_seen_ms"));
  shard.last_seen = absl::FromUnixMillis(last_seen);
  ASSIGN_OR_RETURN(const dom::array closed, fields.Array("closed"));
  ASSIGN_OR_RETURN(shard.closed, DecodeClosed(closed));
  if (epoch.empty() || shard.index.empty() || shard.first_checkpoint < -1) {
    return Bad("shard: empty epoch or index, or a first_checkpoint below -1");
  }
  if (!position->shards.emplace(epoch, std::move(shard)).second) {
    return Bad(absl::StrCat("epoch ", epoch, " stands twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<StartPolicy> DecodeStart(const Fields& fields) {
  StartPolicy start;
  ASSIGN_OR_RETURN(const std::string name, fields.String("start"));
  ASSIGN_OR_RETURN(const int64_t since, fields.Integer("since_ms"));
  start.since = absl::FromUnixMillis(since);
  for (int kind = 0; kind < 3; ++kind) {
    if (name != std::string(kStartNames[kind])) continue;
    start.kind = static_cast<StartPolicy::Kind>(kind);
    return start;
  }
  return Bad(absl::StrCat("start: unknown policy ", name));
}

}  // namespace

int64_t ShardPosition::reached() const {
  return !closed.empty() && closed.begin()->first == -1 ? closed.begin()->second : -1;
}

std::string EncodePosition(const Position& position) {
  std::string out = absl::StrCat(
      "{\"format\":", kFormat, ",\"first_start_ms\":", absl::ToUnixMillis(position.first_start),
      ",\"start\":\"", kStartNames[static_cast<int>(position.start.kind)],
      "\",\"since_ms\":", absl::ToUnixMillis(position.start.since), ",\"shards\":[");
  const char* separator = "\n";
  for (const auto& [epoch, shard] : position.shards) {
    absl::StrAppend(&out, separator, "{\"epoch\":");
    AppendJsonString(epoch, &out);
    absl::StrAppend(&out, ",\"index\":");
    AppendJsonString(shard.index, &out);
    absl::StrAppend(&out, ",\"first_checkpoint\":", shard.first_checkpoint,
                    ",\"last_seen_ms\":", absl::ToUnixMillis(shard.last_seen), ",\"closed\":[");
    const char* comma = "";
    for (const auto& [from, to] : shard.closed) {
      absl::StrAppend(&out, comma, "[", from, ",", to, "]");
      comma = ",";
    }
    absl::StrAppend(&out, "]}");
    separator = ",\n";
  }
  absl::StrAppend(&out, "]}\n");
  return out;
}

absl::StatusOr<Position> DecodePosition(absl::string_view json) {
  dom::parser parser;
  dom::element root;
  const auto error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return Bad(absl::StrCat("not JSON: ", simdjson::error_message(error)));
  }
  ASSIGN_OR_RETURN(const Fields fields, Fields::Of(root, "top level", 5));
  ASSIGN_OR_RETURN(const int64_t format, fields.Integer("format"));
  if (format > kFormat) {
    return Bad(
        absl::StrCat("format ", format, ", made by a newer Nightjar; this one knows ", kFormat));
  }
  if (format != kFormat) return Bad(absl::StrCat("format ", format, " is not ", kFormat));
  Position position;
  ASSIGN_OR_RETURN(const int64_t first_start, fields.Integer("first_start_ms"));
  position.first_start = absl::FromUnixMillis(first_start);
  ASSIGN_OR_RETURN(position.start, DecodeStart(fields));
  ASSIGN_OR_RETURN(const dom::array shards, fields.Array("shards"));
  for (const dom::element shard : shards) RETURN_IF_ERROR(DecodeShard(shard, &position));
  return position;
}

absl::StatusOr<std::optional<Position>> LoadPosition(checkpoint::Checkpoint& checkpoint,
                                                     const std::string& folder) {
  absl::StatusOr<std::optional<std::string>> payload = checkpoint.Load();
  absl::Status failure = payload.status();
  if (payload.ok()) {
    if (!payload->has_value()) return std::optional<Position>();
    absl::StatusOr<Position> position = DecodePosition(**payload);
    if (position.ok()) return std::optional<Position>(*std::move(position));
    failure = position.status();
  }
  return ConfigError(absl::StrCat(
      "cannot read the position in ", folder, ": ", failure.message(),
      ". Put back a copy of state.json, or move the folder away to start as on the first day "
      "(reader.start decides how far back; some events may then arrive twice)"));
}

}  // namespace nightjar::es_reader
