// A configuration value that must never be printed.
#ifndef SERVICES_COMMON_CONFIG_SECRET_H_
#define SERVICES_COMMON_CONFIG_SECRET_H_

#include <ostream>
#include <string>

namespace nightjar::config {

// Prints as a mask wherever it is streamed or formatted; only reveal() gives the text. The memory
// is zeroed at the end and before another text takes its place.
class Secret {
 public:
  Secret() = default;
  // Zeroes what `text` may still hold when it was moved from.
  explicit Secret(std::string&& text);
  explicit Secret(const std::string& text) : text_(text) {}
  explicit Secret(const char* text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other);
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
