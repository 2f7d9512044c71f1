#include "services/common/config/secret.h"

#include <openssl/crypto.h>

namespace nightjar::config {

Secret::~Secret() { OPENSSL_cleanse(text_.data(), text_.size()); }

}  // namespace nightjar::config
