// Typed reads out of a YAML map. Every key that is read is thereby a known one; Done() refuses
// others.
#ifndef SERVICES_COMMON_CONFIG_BINDER_H_
#define SERVICES_COMMON_CONFIG_BINDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/config/file_stamp.h"
#include "services/common/config/secret.h"
#include "services/common/config/yaml.h"

namespace nightjar::config {

// What all binders of one file share.
struct BindContext {
  absl::Status error;                // the first one; later reads go on but change nothing of it
  std::vector<std::string> ignored;  // keys with a value that were only accepted, each once
  std::vector<FileStamp> files;      // that references named, from before they were read
};

// Reads of one map. An absent key, or one without a value, leaves the target as it is: its default.
// A wrong value goes to the context's error, as "<file>:<line>: <path>: <problem>". Not
// thread-safe; `context` must outlive it.
class Binder {
 public:
  // `map` may be absent. With `resolve` false, values that are references are passed over.
  Binder(YamlNode map, BindContext* context, bool resolve);

  // True when the key has a value: not null, not "", not [].
  bool Has(absl::string_view key) const;
  int line() const { return map_.line(); }
  void set_resolve(bool resolve) { resolve_ = resolve; }

  void Text(absl::string_view key, std::string* out);
  void Texts(absl::string_view key, std::vector<std::string>* out);  // a list, or a single one
  void Hidden(absl::string_view key, Secret* out);
  void Bool(absl::string_view key, bool* out);
  void Duration(absl::string_view key, absl::Duration min, absl::Duration max, absl::Duration* out);
  void Size(absl::string_view key, uint64_t min, uint64_t max, uint64_t* out);

  // A whole number from `min` to `max`; T must hold both.
  template <typename T>
  void Number(absl::string_view key, int64_t min, int64_t max, T* out) {
    if (const auto number = WholeNumber(key, min, max)) *out = static_cast<T>(*number);
  }

  // One of some words. T is an enum, or std::string with each word twice.
  template <typename T>
  void Choice(absl::string_view key, const std::vector<std::pair<std::string, T>>& choices,
              T* out) {
    std::vector<std::string> words;
    words.reserve(choices.size());
    for (const auto& choice : choices) words.push_back(choice.first);
    if (const auto index = IndexOf(key, words)) *out = choices[*index].second;
  }
  void Choice(absl::string_view key, const std::vector<std::string>& words, std::string* out);

  Binder Map(absl::string_view key) { return Map(key, resolve_); }
  Binder Map(absl::string_view key, bool resolve);
  std::vector<Binder> Maps(absl::string_view key);  // a list of maps
  std::vector<std::pair<std::string, std::string>> TextEntries(
      absl::string_view key, const std::vector<std::string>& known);

  // Keys of NFR that mean nothing here: checked like the others, then named once in a warning.
  void IgnoredText(absl::string_view key);
  void IgnoredNumber(absl::string_view key, int64_t min);
  void IgnoredDuration(absl::string_view key, absl::Duration min);
  void IgnoredSeconds(absl::string_view key);  // a number, or a duration

  // A problem with this key's value, or with the map itself if the key is not there.
  void Fail(absl::string_view key, absl::string_view problem);

  // To be called once all known keys were read.
  void Done();

 private:
  struct Found {
    std::string text;
    std::string shown;  // for messages: in quotes; of a reference only the reference itself
    const YamlNode* node;
  };

  const YamlNode* Find(absl::string_view key) const;
  const YamlNode* Know(absl::string_view key);  // Find, and remember the key as a known one
  std::optional<Found> Scalar(absl::string_view key);
  std::optional<Found> ScalarOf(const YamlNode& node);
  std::optional<int64_t> WholeNumber(absl::string_view key, int64_t min, int64_t max);
  std::optional<size_t> IndexOf(absl::string_view key, const std::vector<std::string>& words);
  void Ignore(absl::string_view key);
  void Keep(absl::Status error);

  YamlNode map_;
  BindContext* context_;
  bool resolve_;
  std::vector<std::string> known_;
};

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_BINDER_H_
