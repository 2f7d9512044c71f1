#include "services/cli/text_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace nightjar::cli {
namespace {

size_t Width(absl::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string TextTable::ToString() const {
  std::vector<size_t> widths(alignment_.size(), 0);
  for (const Line& row : rows_) {
    for (size_t i = 0; i < row.cells.size(); ++i) {
      widths[i] = std::max(widths[i], Width(row.cells[i]));
    }
  }
  std::string text;
  for (const Line& row : rows_) {
    std::string line = row.note;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const std::string space(widths[i] - Width(row.cells[i]), ' ');
      const bool right = alignment_[i] == 'r';
      absl::StrAppend(&line, i == 0 ? "" : "  ", right ? space : "", row.cells[i],
                      right ? "" : space);
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

}  // namespace nightjar::cli
