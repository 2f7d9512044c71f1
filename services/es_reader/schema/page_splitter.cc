#include "services/es_reader/schema/page_splitter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {
namespace {

class Scanner {
 public:
  explicit Scanner(absl::string_view text) : text_(text) {}

  // Moves behind the '[' of hits.hits.
  bool FindHits() {
    absl::string_view last, key;
    int depth = 0;
    bool in_hits = false;
    while (at_ < text_.size()) {
      const size_t begin = at_;
      const char c = Next();
      if (c == '"') {
        last = text_.substr(begin + 1, at_ - begin - 2);
      } else if (c == ':') {
        key = last;
      } else if (c == '[' && depth == 2 && in_hits && key == "hits") {
        return true;
      } else if (c == '{' || c == '[') {
        ++depth;
        if (depth == 2) in_hits = key == "hits";
      } else if (c == '}' || c == ']') {
        --depth;
      }
    }
    return false;
  }

  // Takes the next element of an array of objects; empty at its ']'. False for anything else.
  bool Element(absl::string_view* element) {
    *element = absl::string_view();
    int depth = 0;
    size_t begin = 0;
    while (at_ < text_.size()) {
      const size_t here = at_;
      const char c = Next();
      if (c == '{' || c == '[') {
        if (depth++ == 0) begin = here;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return c == ']';
        if (--depth == 0) {
          *element = text_.substr(begin, at_ - begin);
          return true;
        }
      }
    }
    return false;
  }

  size_t at() const { return at_; }

 private:
  // Passes over one character, string or comment, and returns its first character.
  char Next() {
    const char c = text_[at_++];
    if (c == '"') {
      while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
      ++at_;
    } else if (c == '#' || (c == '/' && at_ < text_.size() && text_[at_] == '/')) {
      PassOver("\n");
    } else if (c == '/' && at_ < text_.size() && text_[at_] == '*') {
      ++at_;
      PassOver("*/");
    }
    at_ = std::min(at_, text_.size());
    return c;
  }

  void PassOver(absl::string_view end) {
    const size_t found = text_.find(end, at_);
    at_ = found == absl::string_view::npos ? text_.size() : found + end.size();
  }

  absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool SplitPage(absl::string_view page, PagePieces* pieces) {
  Scanner scanner(page);
  if (!scanner.FindHits()) return false;
  pieces->envelope = std::string(page.substr(0, scanner.at()));
  pieces->hits.clear();
  absl::string_view hit;
  do {
    if (!scanner.Element(&hit)) return false;
    if (!hit.empty()) pieces->hits.push_back(hit);
  } while (!hit.empty());
  absl::StrAppend(&pieces->envelope, page.substr(scanner.at() - 1));
  return true;
}

}  // namespace nightjar::es_reader
