#include "services/common/config/binder.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "services/common/config/values.h"

namespace nightjar::config {
namespace {

constexpr size_t kShownBytesMax = 80;  // of a wrong value, in a message

std::string Shown(absl::string_view text) {
  const char* more = text.size() > kShownBytesMax ? "..." : "";
  const std::string line = absl::StrReplaceAll(text.substr(0, kShownBytesMax), {{"\n", " "}});
  return absl::StrCat("\"", line, more, "\"");
}

std::string UnknownKey(absl::string_view key, const std::vector<std::string>& known) {
  const std::string nearest = Nearest(key, known);
  if (!nearest.empty()) return absl::StrCat("unknown key (did you mean \"", nearest, "\"?)");
  if (known.empty()) return "unknown key (no key is known here)";
  return absl::StrCat("unknown key (known here: ", absl::StrJoin(known, ", "), ")");
}

}  // namespace

Binder::Binder(YamlNode map, BindContext* context, bool resolve)
    : map_(std::move(map)), context_(context), resolve_(resolve) {
  if (!map_.is_map() && !map_.is_null()) Keep(map_.Error("must be a map of keys and values"));
}

bool Binder::Has(absl::string_view key) const {
  const YamlNode* node = Find(key);
  return node != nullptr && (!node->scalar().empty() || !node->items().empty() || node->is_map());
}

void Binder::Text(absl::string_view key, std::string* out) {
  if (auto found = Scalar(key)) *out = std::move(found->text);
}

void Binder::Texts(absl::string_view key, std::vector<std::string>* out) {
  const YamlNode* node = Know(key);
  if (node == nullptr || node->is_null()) return;
  if (node->is_map()) return Keep(node->Error("must be a list of texts"));
  std::vector<std::string> texts;
  const std::vector<YamlNode> single = {*node};
  for (const YamlNode& item : node->is_list() ? node->items() : single) {
    if (item.is_null()) return Keep(item.Error("has no value"));
    if (auto found = ScalarOf(item)) texts.push_back(std::move(found->text));
  }
  *out = std::move(texts);
}

void Binder::Hidden(absl::string_view key, Secret* out) {
  // A secret that is not ours to resolve still shows as set.
  const YamlNode* node = Find(key);
  if (!resolve_ && node != nullptr && HasReference(node->scalar())) *out = Secret(node->scalar());
  if (auto found = Scalar(key)) *out = Secret(std::move(found->text));
}

void Binder::Bool(absl::string_view key, bool* out) {
  const auto found = Scalar(key);
  if (!found) return;
  const auto value = ParseBool(found->text);
  if (!value) return Keep(found->node->Error(found->shown + " is neither true nor false"));
  *out = *value;
}

void Binder::Duration(absl::string_view key, absl::Duration min, absl::Duration max,
                      absl::Duration* out) {
  const auto found = Scalar(key);
  if (!found) return;
  const auto value = ParseDuration(found->text);
  if (!value) return Keep(found->node->Error(found->shown + " is not a duration (example: 30s)"));
  if (*value < min || *value > max) {
    return Keep(found->node->Error(absl::StrCat(found->shown, " is out of range (",
                                                absl::FormatDuration(min), " to ",
                                                absl::FormatDuration(max), ")")));
  }
  *out = *value;
}

void Binder::Size(absl::string_view key, uint64_t min, uint64_t max, uint64_t* out) {
  const auto found = Scalar(key);
  if (!found) return;
  const auto value = ParseSize(found->text);
  if (!value) return Keep(found->node->Error(found->shown + " is not a size (example: 64MiB)"));
  if (*value < min || *value > max) {
    return Keep(found->node->Error(
        absl::StrCat(found->shown, " is out of range (", min, " to ", max, " bytes)")));
  }
  *out = *value;
}

void Binder::Choice(absl::string_view key, const std::vector<std::string>& words,
                    std::string* out) {
  if (const auto index = IndexOf(key, words)) *out = words[*index];
}

Binder Binder::Map(absl::string_view key, bool resolve) {
  const YamlNode* node = Know(key);
  return Binder(node == nullptr ? YamlNode() : *node, context_, resolve);
}

std::vector<Binder> Binder::Maps(absl::string_view key) {
  std::vector<Binder> maps;
  const YamlNode* node = Know(key);
  if (node == nullptr || node->is_null()) return maps;
  if (!node->is_list()) {
    Keep(node->Error("must be a list"));
    return maps;
  }
  for (const YamlNode& item : node->items()) maps.emplace_back(item, context_, resolve_);
  return maps;
}

std::vector<std::pair<std::string, std::string>> Binder::TextEntries(
    absl::string_view key, const std::vector<std::string>& known) {
  Binder map = Map(key);
  std::vector<std::pair<std::string, std::string>> entries;
  for (const std::string& name : known) {
    std::string text;
    map.Text(name, &text);
    if (!text.empty()) entries.emplace_back(name, std::move(text));
  }
  map.Done();
  return entries;
}

void Binder::IgnoredText(absl::string_view key) {
  std::string text;
  Text(key, &text);
  Ignore(key);
}

void Binder::IgnoredNumber(absl::string_view key, int64_t min) {
  WholeNumber(key, min, std::numeric_limits<int32_t>::max());
  Ignore(key);
}

void Binder::IgnoredDuration(absl::string_view key, absl::Duration min) {
  absl::Duration duration;
  Duration(key, min, absl::Hours(24 * 365), &duration);
  Ignore(key);
}

void Binder::IgnoredSeconds(absl::string_view key) {
  Ignore(key);
  const auto found = Scalar(key);
  if (!found) return;
  double seconds = 0;
  const bool number = absl::SimpleAtod(found->text, &seconds) && seconds >= 0;
  if (number || ParseDuration(found->text)) return;
  Keep(found->node->Error(found->shown + " is not a duration (example: 30s)"));
}

void Binder::Fail(absl::string_view key, absl::string_view problem) {
  if (const YamlNode* node = Find(key)) return Keep(node->Error(problem));
  Keep(map_.Error(absl::StrCat(key, " ", problem)));
}

void Binder::Done() {
  for (const auto& [key, value] : map_.entries()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      Keep(value.Error(UnknownKey(key, known_)));
    }
  }
}

const YamlNode* Binder::Find(absl::string_view key) const {
  for (const auto& [name, value] : map_.entries()) {
    if (name == key) return &value;
  }
  return nullptr;
}

const YamlNode* Binder::Know(absl::string_view key) {
  known_.emplace_back(key);
  return Find(key);
}

std::optional<Binder::Found> Binder::Scalar(absl::string_view key) {
  const YamlNode* node = Know(key);
  if (node == nullptr || node->is_null()) return std::nullopt;
  return ScalarOf(*node);
}

std::optional<Binder::Found> Binder::ScalarOf(const YamlNode& node) {
  if (!node.is_scalar()) {
    Keep(node.Error("must be a single value"));
    return std::nullopt;
  }
  if (!HasReference(node.scalar())) return Found{node.scalar(), Shown(node.scalar()), &node};
  if (!resolve_) return std::nullopt;
  const std::string file = ReferencedFile(node.scalar());
  if (!file.empty()) context_->files.push_back(StampOf(file));
  auto value = Resolve(node.scalar());
  if (!value.ok()) {
    Keep(node.Error(value.status().message()));
    return std::nullopt;
  }
  return Found{*std::move(value), node.scalar(), &node};
}

std::optional<int64_t> Binder::WholeNumber(absl::string_view key, int64_t min, int64_t max) {
  const auto found = Scalar(key);
  if (!found) return std::nullopt;
  int64_t number = 0;
  if (!absl::SimpleAtoi(found->text, &number)) {
    Keep(found->node->Error(found->shown + " is not a whole number"));
    return std::nullopt;
  }
  if (number < min || number > max) {
    Keep(found->node->Error(
        absl::StrCat(found->shown, " is out of range (", min, " to ", max, ")")));
    return std::nullopt;
  }
  return number;
}

std::optional<size_t> Binder::IndexOf(absl::string_view key,
                                      const std::vector<std::string>& words) {
  const auto found = Scalar(key);
  if (!found || found->text.empty()) return std::nullopt;
  const auto word = std::find(words.begin(), words.end(), found->text);
  if (word != words.end()) return word - words.begin();
  Keep(found->node->Error(
      absl::StrCat(found->shown, " is not one of: ", absl::StrJoin(words, ", "))));
  return std::nullopt;
}

void Binder::Ignore(absl::string_view key) {
  if (!Has(key)) return;
  std::string path = Find(key)->path();
  // searches[3].batch_size and searches[4].batch_size are one thing to say.
  for (size_t open = path.find('['); open != std::string::npos; open = path.find('[', open + 1)) {
    path.erase(open + 1, path.find(']', open) - open - 1);
  }
  auto& ignored = context_->ignored;
  if (std::find(ignored.begin(), ignored.end(), path) == ignored.end()) {
    ignored.push_back(std::move(path));
  }
}

void Binder::Keep(absl::Status error) {
  if (context_->error.ok()) context_->error = std::move(error);
}

}  // namespace nightjar::config
