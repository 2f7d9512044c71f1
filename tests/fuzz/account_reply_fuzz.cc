// Fuzz target: the engine's answer about the account. Whatever the bytes, an error or an account
// that can be true.
#include <cstddef>
#include <cstdint>

#include "services/common/analytics_api/account_reply.h"
#include "services/common/status/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view body(reinterpret_cast<const char*>(data), size);
  const auto reply = nightjar::analytics_api::ParseAccountReply("application/json", body);
  if (!reply.ok()) {
    CHECK(!reply.status().message().empty());
    return 0;
  }
  CHECK(!reply->expires.has_value() || *reply->expires > absl::UnixEpoch());
  for (const auto& message : reply->messages) CHECK(!message.empty());
  return 0;
}
