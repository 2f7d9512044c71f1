#include "services/common/http/retrying_sender.h"

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::http {
namespace {

using absl::StatusCode;
using ::testing::HasSubstr;

// Answers `busy` times 503 with Retry-After: 20, then `then`.
struct BusyServer {
  BusyServer() {
    server.Get("/", [this](const auto&, httplib::Response& response) {
      response.status = ++requests <= busy ? 503 : then.load();
      if (response.status == 503) response.set_header("Retry-After", "20");
      response.set_content("body", "text/plain");
    });
    url = absl::StrCat("http://127.0.0.1:", server.bind_to_any_port("127.0.0.1"), "/");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();  // before that, stop() does nothing
  }
  ~BusyServer() {
    server.stop();
    thread.join();
  }

  std::atomic<int> requests{0};
  std::atomic<int> busy{0};
  std::atomic<int> then{200};
  std::string url;
  httplib::Server server;
  std::thread thread;
};

class RetryingSenderTest : public testing::Test {
 protected:
  RetryingSenderTest() { request_.url = server_.url; }

  // Sends, and moves the clock on whenever the sender waits.
  absl::Status Send(RetryingSender& sender) {
    auto sent = std::async(std::launch::async, [&] { return sender.Send(request_, &response_); });
    while (sent.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
      if (clock_.waiting() > 0) clock_.Advance(absl::Seconds(1));
    }
    return sent.get();
  }

  BusyServer server_;
  SimulatedClock clock_;
  HttpClient client_{Endpoint{}};
  Request request_;
  Response response_;
};

TEST_F(RetryingSenderTest, TriesAgainUntilItSucceedsAndKeepsRetryAfter) {
  server_.busy = 2;
  RetryingSender sender(client_, clock_);
  EXPECT_OK(Send(sender));
  EXPECT_EQ(server_.requests, 3);
  EXPECT_EQ(response_.status, 200);
  EXPECT_GE(clock_.Monotonic(), absl::Seconds(40));
  EXPECT_LE(clock_.Monotonic(), absl::Seconds(46));
}

TEST_F(RetryingSenderTest, ReturnsTheLastStatusAfterTheLastTry) {
  server_.busy = 100;
  RetryingSender sender(client_, clock_, {3, absl::Hours(1), {}});
  EXPECT_THAT(Send(sender), StatusIs(StatusCode::kUnavailable, HasSubstr("HTTP 503: body")));
  EXPECT_EQ(server_.requests, 3);
  EXPECT_EQ(response_.status, 503);
}

TEST_F(RetryingSenderTest, BeginsNoWaitThatWouldEndTooLate) {
  server_.busy = 100;
  RetryingSender sender(client_, clock_, {100, absl::Seconds(50), {}});
  EXPECT_THAT(Send(sender), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(server_.requests, 3);  // two waits of 20 to 22 s fit
}

TEST_F(RetryingSenderTest, WhatCannotSucceedLaterIsTriedOnce) {
  server_.then = 400;
  RetryingSender sender(client_, clock_);
  EXPECT_THAT(Send(sender), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(server_.requests, 1);
}

TEST_F(RetryingSenderTest, CancelEndsTheWait) {
  server_.busy = 100;
  RetryingSender sender(client_, clock_);
  auto sent = std::async(std::launch::async, [&] { return sender.Send(request_, &response_); });
  while (clock_.waiting() == 0) std::this_thread::yield();
  sender.Cancel();
  EXPECT_THAT(sent.get(), StatusIs(StatusCode::kCancelled, HasSubstr("HTTP 503")));
  EXPECT_EQ(server_.requests, 1);
}

}  // namespace
}  // namespace nightjar::http
