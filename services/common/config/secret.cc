#include "services/common/config/secret.h"

#include <openssl/crypto.h>

#include <utility>

namespace nightjar::config {

// A short text lives in the string itself, and moving copies it.
Secret::Secret(std::string&& text) : text_(std::move(text)) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret& Secret::operator=(const Secret& other) {
  if (this == &other) return *this;
  OPENSSL_cleanse(text_.data(), text_.size());
  text_ = other.text_;
  return *this;
}

Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

}  // namespace nightjar::config
