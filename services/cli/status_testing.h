// Stages for tests of the status, as protobuf text.
#ifndef SERVICES_CLI_STATUS_TESTING_H_
#define SERVICES_CLI_STATUS_TESTING_H_

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "proto/admin/v1/stage.pb.h"

namespace nightjar::cli {

inline admin::v1::StageStatus ParseStatus(const std::string& text) {
  admin::v1::StageStatus status;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &status)) << text;
  return status;
}

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STATUS_TESTING_H_
