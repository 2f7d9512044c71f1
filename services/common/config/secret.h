// A configuration value that must never be printed.
#ifndef SERVICES_COMMON_CONFIG_SECRET_H_
#define SERVICES_COMMON_CONFIG_SECRET_H_

#include <ostream>
#include <string>

namespace nightjar::config {

// Prints as a mask wherever it is streamed or formatted; only reveal() gives the text. The memory
// is zeroed at the end.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << (secret.empty() ? "" : "********");
  }

 private:
  std::string text_;
};

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_SECRET_H_
