// Where fields stand in documents: one table of dotted paths, searched key by key during the walk.
#ifndef SERVICES_ES_READER_SCHEMA_FIELD_TABLE_H_
#define SERVICES_ES_READER_SCHEMA_FIELD_TABLE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "services/es_reader/schema/source_fields.h"

namespace nightjar::es_reader {

// What a field may hold. null is absence everywhere, and an array with one element is that element.
enum class Shape : uint8_t {
  kText,     // a string
  kScalar,   // a string, a number or a boolean
  kLast,     // a string, or the last of an array (encapsulation: outermost first)
  kFirst,    // a scalar, or the first of an array
  kRaw,      // anything; kept as JSON
  kAnswers,  // an array of DNS answers
};

// One key on the way to a field. A node may be both a field and the parent of others.
struct FieldNode {
  const FieldNode* Child(absl::string_view key) const {
    if (key.empty()) return nullptr;
    const FieldNode* child = children_[Slot(key)];
    while (child != nullptr && child->name != key) child = child->next_;
    return child;
  }

  std::string name;
  Section section = kNoSection;
  Shape shape = Shape::kScalar;
  Field field = kFieldCount;  // kFieldCount: none
  int path = -1;              // the user's path that ends here
  bool has_children = false;

 private:
  friend class FieldTable;
  static constexpr size_t kSlots = 64;
  static size_t Slot(absl::string_view key) {
    const auto byte = [&](size_t i) -> size_t { return static_cast<uint8_t>(key[i]); };
    return (key.size() * 5 + byte(0) * 3 + byte(key.size() - 1)) % kSlots;
  }

  // Children by Slot() of their name, chained where two share one.
  std::array<FieldNode*, kSlots> children_{};
  FieldNode* next_ = nullptr;
};

// The table with the user's own paths added. Immutable once built; then thread-safe.
class FieldTable {
 public:
  FieldTable();
  FieldTable(const FieldTable&) = delete;
  FieldTable& operator=(const FieldTable&) = delete;

  // Adds a path of the user's; the answer is its number in SourceFields::paths. Once more gives the
  // same number.
  int AddPath(absl::string_view dotted);
  int paths() const { return paths_; }

  const FieldNode& root() const { return nodes_.front(); }

 private:
  FieldNode* Insert(absl::string_view dotted, Section section);

  std::deque<FieldNode> nodes_;
  int paths_ = 0;
};

// The usual dotted path of a field, for messages.
absl::string_view FieldPath(Field field);

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_SCHEMA_FIELD_TABLE_H_
