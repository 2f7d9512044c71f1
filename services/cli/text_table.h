// Rows of text under each other.
#ifndef SERVICES_CLI_TEXT_TABLE_H_
#define SERVICES_CLI_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace nightjar::cli {

// Not thread-safe.
class TextTable {
 public:
  // One letter a column: l(eft) or r(ight).
  explicit TextTable(std::string alignment) : alignment_(std::move(alignment)) {}

  // As many cells as columns.
  void Row(std::vector<std::string> cells) { rows_.push_back({std::move(cells), ""}); }
  // A whole line between rows, which does not widen any column.
  void Note(std::string text) { rows_.push_back({{}, std::move(text)}); }

  // Columns are two spaces apart and as wide as their widest cell; every line ends with a newline
  // and none with a space. Widths are in characters of UTF-8.
  std::string ToString() const;

 private:
  struct Line {
    std::vector<std::string> cells;
    std::string note;
  };

  const std::string alignment_;
  std::vector<Line> rows_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_TEXT_TABLE_H_
