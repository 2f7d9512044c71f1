#include "services/common/rpc/grpc_status.h"

#include <string>

namespace nightjar::rpc {
namespace {

// Both enumerations are google.rpc.Code; grpc_status_test checks each value.
constexpr int kCodeMax = 16;

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const int code = static_cast<int>(status.code());
  return grpc::Status(code <= kCodeMax ? static_cast<grpc::StatusCode>(code) : grpc::UNKNOWN,
                      std::string(status.message()));
}

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = static_cast<int>(status.error_code());
  const bool known = code > 0 && code <= kCodeMax;
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      status.error_message());
}

}  // namespace nightjar::rpc
