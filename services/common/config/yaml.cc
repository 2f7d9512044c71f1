#include "services/common/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "services/common/config/small_file.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::config {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kLevelsMax = 64;
constexpr size_t kValuesMax = 100'000;
constexpr size_t kPathBytesMax = 512;

enum class Kind { kNull, kScalar, kList, kMap };

// yaml-cpp takes the byte 0x04 for the end of the file, so what follows it would be ignored in
// silence. No control character belongs in a configuration.
absl::Status CheckCharacters(absl::string_view text, const std::string& file) {
  int line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    const bool control =
        static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
    if (control || c == 0x7f) {
      return ConfigError(absl::StrCat(file, ":", line, ": control character 0x",
                                      absl::Hex(c, absl::kZeroPad2), " is not allowed"));
    }
  }
  return absl::OkStatus();
}

std::string FileAndPlace(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return file;
  return absl::StrCat(file, ":", mark.line + 1, ":", mark.column + 1);
}

}  // namespace

struct YamlNode::Value {
  Kind kind = Kind::kNull;
  std::string scalar;
  std::vector<YamlNode> items;
  std::vector<std::pair<std::string, YamlNode>> entries;
  int line = 1;
  std::string path;
  std::shared_ptr<const std::string> file;
};

// Makes nodes from yaml-cpp's events. Refusals are thrown as yaml-cpp's own exception, so that they
// end where its do.
class YamlNode::Builder : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& file) : file_(std::make_shared<const std::string>(file)) {
    root_ = NewValue(YAML::Mark(), Kind::kNull);
  }

  YamlNode root() const { return YamlNode(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Check(mark, "", anchor);
    Add(mark, NewValue(mark, Kind::kNull));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases are not allowed");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Check(mark, tag, anchor);
    if (AwaitsKey()) {
      TakeKey(mark, text);
      return;
    }
    std::shared_ptr<Value> value = NewValue(mark, Kind::kScalar);
    value->scalar = text;
    Add(mark, std::move(value));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Check(mark, tag, anchor);
    Open(mark, Kind::kList);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Check(mark, tag, anchor);
    Open(mark, Kind::kMap);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  // A list or map whose end was not seen yet.
  struct Frame {
    std::shared_ptr<Value> value;
    std::set<std::string> keys;  // of a map, to find a second one of a name
    bool has_key = false;        // a map's key was read, its value was not
    std::string key;
    int key_line = 0;
  };

  [[noreturn]] static void Refuse(const YAML::Mark& mark, const std::string& problem) {
    throw YAML::ParserException(mark, problem);
  }

  // yaml-cpp says "?" for plain text and "!" for quoted text without a tag.
  void Check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (!tag.empty() && tag != "?" && tag != "!") Refuse(mark, "tags are not allowed");
    if (anchor != 0) Refuse(mark, "anchors are not allowed");
    if (++values_ > kValuesMax) Refuse(mark, absl::StrCat("more than ", kValuesMax, " values"));
  }

  bool AwaitsKey() const {
    return !open_.empty() && open_.back().value->kind == Kind::kMap && !open_.back().has_key;
  }

  void TakeKey(const YAML::Mark& mark, const std::string& key) {
    Frame& frame = open_.back();
    if (!frame.keys.insert(key).second) {
      Refuse(mark, absl::StrCat("key \"", key, "\" stands here a second time"));
    }
    frame.has_key = true;
    frame.key = key;
    frame.key_line = mark.line + 1;
  }

  std::shared_ptr<Value> NewValue(const YAML::Mark& mark, Kind kind) {
    auto value = std::make_shared<Value>();
    value->kind = kind;
    value->line = mark.line + 1;
    value->file = file_;
    if (open_.empty()) return value;
    const Frame& frame = open_.back();
    if (frame.value->kind == Kind::kMap) {
      const char* dot = frame.value->path.empty() ? "" : ".";
      value->path = absl::StrCat(frame.value->path, dot, frame.key);
      value->line = frame.key_line;
    } else {
      value->path = absl::StrCat(frame.value->path, "[", frame.value->items.size(), "]");
    }
    if (value->path.size() > kPathBytesMax) {
      Refuse(mark, absl::StrCat("keys down to here are longer than ", kPathBytesMax, " bytes"));
    }
    return value;
  }

  void Add(const YAML::Mark& mark, std::shared_ptr<Value> value) {
    if (AwaitsKey()) Refuse(mark, "a key must be text");
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Frame& frame = open_.back();
    if (frame.value->kind == Kind::kMap) {
      frame.value->entries.emplace_back(std::move(frame.key), YamlNode(std::move(value)));
      frame.has_key = false;
    } else {
      frame.value->items.push_back(YamlNode(std::move(value)));
    }
  }

  void Open(const YAML::Mark& mark, Kind kind) {
    if (open_.size() == kLevelsMax) Refuse(mark, absl::StrCat("more than ", kLevelsMax, " levels"));
    std::shared_ptr<Value> value = NewValue(mark, kind);
    Add(mark, value);
    open_.emplace_back();
    open_.back().value = std::move(value);
  }

  std::shared_ptr<const std::string> file_;
  std::shared_ptr<Value> root_;
  std::vector<Frame> open_;
  size_t values_ = 0;
};

absl::StatusOr<YamlNode> YamlNode::Parse(absl::string_view text, const std::string& file) {
  if (text.size() > kFileBytesMax) {
    return ConfigError(absl::StrCat(file, ": larger than ", kFileBytesMax, " bytes"));
  }
  RETURN_IF_ERROR(CheckCharacters(text, file));
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    Builder builder(file);
    if (!parser.HandleNextDocument(builder)) return builder.root();
    Builder second(file);
    if (parser.HandleNextDocument(second)) {
      return ConfigError(absl::StrCat(file, ": more than one document (a line of \"---\")"));
    }
    return builder.root();
  } catch (const YAML::Exception& e) {
    return ConfigError(absl::StrCat(FileAndPlace(file, e.mark), ": ", e.msg));
  } catch (const std::exception& e) {
    return ConfigError(absl::StrCat(file, ": not YAML: ", e.what()));
  }
}

absl::StatusOr<YamlNode> YamlNode::ParseFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, kFileBytesMax));
  return Parse(text, path);
}

bool YamlNode::is_null() const { return value_ == nullptr || value_->kind == Kind::kNull; }
bool YamlNode::is_scalar() const { return value_ != nullptr && value_->kind == Kind::kScalar; }
bool YamlNode::is_list() const { return value_ != nullptr && value_->kind == Kind::kList; }
bool YamlNode::is_map() const { return value_ != nullptr && value_->kind == Kind::kMap; }

const std::string& YamlNode::scalar() const {
  static const std::string* const kNone = new std::string;
  return value_ == nullptr ? *kNone : value_->scalar;
}

const std::vector<YamlNode>& YamlNode::items() const {
  static const auto* const kNone = new std::vector<YamlNode>;
  return value_ == nullptr ? *kNone : value_->items;
}

const std::vector<std::pair<std::string, YamlNode>>& YamlNode::entries() const {
  static const auto* const kNone = new std::vector<std::pair<std::string, YamlNode>>;
  return value_ == nullptr ? *kNone : value_->entries;
}

int YamlNode::line() const { return value_ == nullptr ? 1 : value_->line; }

const std::string& YamlNode::path() const {
  static const std::string* const kNone = new std::string;
  return value_ == nullptr ? *kNone : value_->path;
}

absl::Status YamlNode::Error(absl::string_view problem) const {
  if (value_ == nullptr) return ConfigError(problem);
  const char* colon = value_->path.empty() ? "" : ": ";
  return ConfigError(
      absl::StrCat(*value_->file, ":", value_->line, ": ", value_->path, colon, problem));
}

}  // namespace nightjar::config
