#include "services/es_reader/schema/source_walker.h"

#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {
namespace {

namespace ondemand = simdjson::ondemand;
using ondemand::json_type;
using simdjson::error_code;
using simdjson::SUCCESS;

// Longer keys are none of ours. Not more than the padding of a page.
constexpr size_t kKeyBytesMax = simdjson::SIMDJSON_PADDING;

const char* TypeName(json_type type) {
  switch (type) {
    case json_type::array:
      return "an array";
    case json_type::object:
      return "an object";
    case json_type::number:
      return "a number";
    case json_type::string:
      return "a string";
    case json_type::boolean:
      return "a boolean";
    case json_type::null:
      return "null";
  }
  return "something else";
}

class Walker {
 public:
  explicit Walker(SourceFields* fields) : fields_(*fields) {}

  error_code Object(ondemand::object object, const FieldNode& node) {
    for (auto result : object) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      const FieldNode* child = Find(node, RawKey(field));
      if (child == nullptr) continue;
      if (error_code error = Value(field.value(), *child)) return error;
    }
    return SUCCESS;
  }

 private:
  static const FieldNode* Find(const FieldNode& node, absl::string_view key) {
    const FieldNode* found = node.Child(key);
    if (found != nullptr || key.empty()) return found;
    const void* dot = std::memchr(key.data(), '.', key.size());
    if (dot == nullptr) return nullptr;
    const size_t length = static_cast<const char*>(dot) - key.data();
    found = node.Child(key.substr(0, length));
    return found == nullptr ? nullptr : Find(*found, key.substr(length + 1));
  }

  error_code Value(ondemand::value& value, const FieldNode& node) {
    json_type type;
    if (error_code error = value.type().get(type)) return error;
    if (type == json_type::null) return SUCCESS;
    if (node.path >= 0) fields_.paths[node.path].seen = true;
    if (node.shape == Shape::kRaw && node.field != kFieldCount) return Raw(value, type, node);
    if (type == json_type::array) return Array(value, node);
    if (type == json_type::object) {
      if (!node.has_children) return Wrong(node, type);
      ondemand::object object;
      if (error_code error = value.get_object().get(object)) return error;
      return Object(object, node);
    }
    return Scalar(value, type, node);
  }

  error_code Scalar(ondemand::value& value, json_type type, const FieldNode& node) {
    if (node.field == kFieldCount && node.path < 0) return Wrong(node, type);
    const bool text_wanted = node.shape == Shape::kText || node.shape == Shape::kLast;
    if (text_wanted && type != json_type::string) return Wrong(node, type);
    absl::string_view text;
    if (error_code error = ScalarText(value, &text)) {
      if (error != simdjson::STRING_ERROR) return error;
      fields_.AddFault(node.section, "bad_string",
                       absl::StrCat(Name(node), " has an escape that is no character"));
      return SUCCESS;
    }
    if (text.size() > kFieldBytesMax) {
      fields_.AddFault(node.section, "field_too_long",
                       absl::StrCat(Name(node), " has ", text.size(), " bytes"));
      return SUCCESS;
    }
    if (node.field != kFieldCount) fields_.Set(node.field, text);
    if (node.path >= 0) fields_.paths[node.path].text = text;
    return SUCCESS;
  }

  error_code Array(ondemand::value& value, const FieldNode& node) {
    ondemand::array array;
    if (error_code error = value.get_array().get(array)) return error;
    if (node.shape == Shape::kAnswers) return Answers(array, node);
    int seen = 0;
    for (auto result : array) {
      ondemand::value element;
      if (error_code error = std::move(result).get(element)) return error;
      json_type type;
      if (error_code error = element.type().get(type)) return error;
      if (type == json_type::null) continue;
      ++seen;
      if (node.shape == Shape::kFirst && seen > 1) continue;
      if (node.field == kFieldCount && node.path < 0) continue;
      if (type == json_type::array || type == json_type::object) {
        Wrong(node, json_type::array);
      } else if (error_code error = Scalar(element, type, node)) {
        return error;
      }
    }
    if (seen == 0 && node.path >= 0) fields_.paths[node.path].seen = false;
    const bool many_fit = node.shape == Shape::kLast || node.shape == Shape::kFirst;
    const bool parent = node.field == kFieldCount && node.path < 0;
    if (parent || (seen > 1 && !many_fit)) Wrong(node, json_type::array);
    return SUCCESS;
  }

  // Kept as it stands: only searched for phrases, never shown.
  error_code Raw(ondemand::value& value, json_type type, const FieldNode& node) {
    std::string_view raw = value.raw_json_token();
    if (type == json_type::array) {
      ondemand::array array;
      if (error_code error = value.get_array().get(array)) return error;
      if (error_code error = array.raw_json().get(raw)) return error;
    }
    fields_.Set(node.field, absl::string_view(raw.data(), raw.size()));
    return SUCCESS;
  }

  error_code Answers(ondemand::array array, const FieldNode& node) {
    fields_.Set(node.field, absl::string_view());
    for (auto result : array) {
      ondemand::value element;
      if (error_code error = std::move(result).get(element)) return error;
      if (fields_.answers.size() == kAnswersMax) continue;
      json_type type;
      if (error_code error = element.type().get(type)) return error;
      AnswerFields answer;
      error_code error = SUCCESS;
      if (type == json_type::object) {
        error = Answer(element, node, &answer);
      } else if (type == json_type::string) {
        error = AnswerText(element, node, &answer.data);
      } else {
        Wrong(node, type);
      }
      if (error) return error;
      fields_.answers.push_back(answer);
    }
    return SUCCESS;
  }

  error_code Answer(ondemand::value& element, const FieldNode& node, AnswerFields* answer) {
    ondemand::object object;
    if (error_code error = element.get_object().get(object)) return error;
    for (auto result : object) {
      if (result.error()) return result.error();
      ondemand::field&& field = std::move(result).value_unsafe();
      const absl::string_view key = RawKey(field);
      absl::string_view* text = key == "name"   ? &answer->name
                                : key == "type" ? &answer->type
                                : key == "data" ? &answer->data
                                : key == "ttl"  ? &answer->ttl
                                                : nullptr;
      if (text == nullptr) continue;
      if (error_code error = AnswerText(field.value(), node, text)) return error;
    }
    return SUCCESS;
  }

  error_code AnswerText(ondemand::value& value, const FieldNode& node, absl::string_view* text) {
    error_code error = ScalarText(value, text);
    if (error == simdjson::STRING_ERROR) {
      fields_.AddFault(node.section, "bad_string",
                       "dns.answers has an escape that is no character");
    } else if (error == simdjson::INCORRECT_TYPE) {
      fields_.AddFault(node.section, "wrong_type", "dns.answers has an answer with a wrong type");
    } else if (error) {
      return error;
    }
    fields_.answers_bytes += text->size();
    if (fields_.answers_bytes > kAnswersBytesMax) {
      fields_.AddFault(node.section, "field_too_long",
                       absl::StrCat("dns.answers has more than ", kAnswersBytesMax, " bytes"));
    }
    return SUCCESS;
  }

  error_code Wrong(const FieldNode& node, json_type type) {
    fields_.AddFault(node.section, "wrong_type", absl::StrCat(Name(node), " is ", TypeName(type)));
    return SUCCESS;
  }

  static absl::string_view Name(const FieldNode& node) {
    return node.field == kFieldCount ? absl::string_view(node.name) : FieldPath(node.field);
  }

  SourceFields& fields_;
};

}  // namespace

absl::string_view RawKey(const ondemand::field& field) {
  const char* begin = field.key().raw();
  // Eight bytes at a time, since this runs for every key of every document; the page's padding
  // makes reading past its end safe. A byte of `zeros` has its high bit set where there is a quote
  // (H. S. Warren, "Hacker's Delight", 6-1; exact for the lowest one).
  for (size_t at = 0; at < kKeyBytesMax; at += 8) {
    uint64_t word;
    std::memcpy(&word, begin + at, sizeof(word));
    word ^= 0x2222222222222222;
    const uint64_t zeros = (word - 0x0101010101010101) & ~word & 0x8080808080808080;
    if (zeros != 0) return absl::string_view(begin, at + __builtin_ctzll(zeros) / 8);
  }
  return absl::string_view();
}

error_code ScalarText(ondemand::value& value, absl::string_view* text) {
  json_type type;
  if (error_code error = value.type().get(type)) return error;
  if (type == json_type::null) return SUCCESS;
  if (type == json_type::array || type == json_type::object) return simdjson::INCORRECT_TYPE;
  std::string_view token = value.raw_json_token();
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  if (type == json_type::string) {
    if (token.size() < 2 || token.back() != '"') return simdjson::TAPE_ERROR;
    token = token.substr(1, token.size() - 2);
    if (std::memchr(token.data(), '\\', token.size()) != nullptr) {
      // Unescaping copies into the parser's buffer, so only where it must be.
      if (error_code error = value.get_string().get(token)) return error;
    }
  }
  *text = absl::string_view(token.data(), token.size());
  return SUCCESS;
}

error_code WalkSource(ondemand::object source, const FieldTable& table, SourceFields* fields) {
  return Walker(fields).Object(source, table.root());
}

}  // namespace nightjar::es_reader
