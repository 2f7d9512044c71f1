#include "services/alert_poller/alert_feed.h"

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace nightjar::alert_poller {
namespace {

using alerts::v1::Alert;

std::vector<Alert> AlertsWithIds(int count, size_t bytes = 0) {
  std::vector<Alert> alerts(count);
  for (int i = 0; i < count; ++i) {
    alerts[i].set_id(std::to_string(i));
    alerts[i].mutable_event()->set_url(std::string(bytes, 'u'));
  }
  return alerts;
}

class AlertFeedTest : public testing::Test {
 protected:
  AlertFeedTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&feed_);
    server_ = builder.BuildAndStart();
    stub_ = alerts::v1::AlertFeed::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                                               grpc::InsecureChannelCredentials()));
  }
  ~AlertFeedTest() override {
    feed_.EndAll();
    server_->Shutdown();
  }
  std::unique_ptr<grpc::ClientReader<Alert>> Subscribe(grpc::ClientContext* context) {
    context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    auto reader = stub_->Subscribe(context, {});
    reader->WaitForInitialMetadata();
    return reader;
  }

  const rpc::Security security_;  // plain text, loopback
  AlertFeed feed_{security_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<alerts::v1::AlertFeed::Stub> stub_;
};

TEST_F(AlertFeedTest, EverySubscriberGetsWhatArrivesFromThenOn) {
  feed_.Publish(AlertsWithIds(1));
  grpc::ClientContext first_context, second_context;
  const auto first = Subscribe(&first_context), second = Subscribe(&second_context);
  feed_.Publish(AlertsWithIds(3));
  for (auto* reader : {first.get(), second.get()}) {
    for (int i = 0; i < 3; ++i) {
      Alert alert;
      ASSERT_TRUE(reader->Read(&alert));
      EXPECT_EQ(alert.id(), std::to_string(i));
    }
  }
}

TEST_F(AlertFeedTest, ASlowSubscriberIsEndedWithTheReason) {
  grpc::ClientContext context;
  const auto reader = Subscribe(&context);
  for (int round = 0; round < 5; ++round) feed_.Publish(AlertsWithIds(1000, 10'000));
  Alert alert;
  while (reader->Read(&alert)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_NE(status.error_message().find("too slow"), std::string::npos);
}

TEST_F(AlertFeedTest, TheStoppingStageEndsItsSubscribersAndTakesNone) {
  grpc::ClientContext context, late_context;
  const auto reader = Subscribe(&context);
  feed_.EndAll();
  Alert alert;
  EXPECT_FALSE(reader->Read(&alert));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  const auto late = stub_->Subscribe(&late_context, {});
  EXPECT_FALSE(late->Read(&alert));
  EXPECT_EQ(late->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace nightjar::alert_poller
