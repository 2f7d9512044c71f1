#include "services/common/rpc/grpc_status.h"

#include <utility>

#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

constexpr std::pair<absl::StatusCode, grpc::StatusCode> kCodes[] = {
    {absl::StatusCode::kCancelled, grpc::CANCELLED},
    {absl::StatusCode::kUnknown, grpc::UNKNOWN},
    {absl::StatusCode::kInvalidArgument, grpc::INVALID_ARGUMENT},
    {absl::StatusCode::kDeadlineExceeded, grpc::DEADLINE_EXCEEDED},
    {absl::StatusCode::kNotFound, grpc::NOT_FOUND},
    {absl::StatusCode::kAlreadyExists, grpc::ALREADY_EXISTS},
    {absl::StatusCode::kPermissionDenied, grpc::PERMISSION_DENIED},
    {absl::StatusCode::kResourceExhausted, grpc::RESOURCE_EXHAUSTED},
    {absl::StatusCode::kFailedPrecondition, grpc::FAILED_PRECONDITION},
    {absl::StatusCode::kAborted, grpc::ABORTED},
    {absl::StatusCode::kOutOfRange, grpc::OUT_OF_RANGE},
    {absl::StatusCode::kUnimplemented, grpc::UNIMPLEMENTED},
    {absl::StatusCode::kInternal, grpc::INTERNAL},
    {absl::StatusCode::kUnavailable, grpc::UNAVAILABLE},
    {absl::StatusCode::kDataLoss, grpc::DATA_LOSS},
    {absl::StatusCode::kUnauthenticated, grpc::UNAUTHENTICATED},
};

TEST(GrpcStatus, EveryErrorCodeGoesOverAndBackWithItsMessage) {
  for (const auto& [absl_code, grpc_code] : kCodes) {
    const grpc::Status over = ToGrpc(absl::Status(absl_code, "why"));
    EXPECT_EQ(over.error_code(), grpc_code);
    EXPECT_EQ(over.error_message(), "why");
    EXPECT_THAT(ToAbsl(over), StatusIs(absl_code, "why"));
  }
}

TEST(GrpcStatus, OkIsOkBothWays) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_OK(ToAbsl(grpc::Status::OK));
}

TEST(GrpcStatus, ACodeThatDoesNotExistBecomesUnknown) {
  EXPECT_THAT(ToAbsl(grpc::Status(static_cast<grpc::StatusCode>(17), "odd")),
              StatusIs(absl::StatusCode::kUnknown, "odd"));
}

}  // namespace
}  // namespace nightjar::rpc
