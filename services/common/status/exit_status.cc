#include "services/common/status/exit_status.h"

#include <cstdio>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace nightjar {
namespace {

constexpr char kExitCodeUrl[] = "nightjar/exit_code";

}  // namespace

absl::Status WithExitCode(absl::Status status, int code) {
  status.SetPayload(kExitCodeUrl, absl::Cord(absl::StrCat(code)));
  return status;
}

absl::Status ConfigError(absl::string_view message) {
  return WithExitCode(absl::InvalidArgumentError(message), kExitConfig);
}

absl::Status FencedError(absl::string_view message) {
  return WithExitCode(absl::AbortedError(message), kExitFenced);
}

absl::Status UsageError(absl::string_view message) {
  return WithExitCode(absl::InvalidArgumentError(message), kExitUsage);
}

int ExitStatus(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  int code = kExitInternal;
  if (auto payload = status.GetPayload(kExitCodeUrl); payload.has_value()) {
    (void)absl::SimpleAtoi(std::string(*payload), &code);
  }
  return code;
}

}  // namespace nightjar
