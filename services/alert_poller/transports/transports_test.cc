#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/alert_poller/transports/file_transport.h"
#include "services/alert_poller/transports/socket_transport.h"
#include "services/common/status/status_matchers.h"
#include "tests/fakes/fake_syslog.h"

namespace nightjar::alert_poller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Contents(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class FileTransportTest : public testing::Test {
 protected:
  FileTransportTest() { std::remove(path_.c_str()); }
  absl::Status Write(const std::vector<std::string>& messages) {
    size_t cut = 0;
    return transport_.Write(messages, &cut);
  }
  void Put(const std::string& contents) { std::ofstream(path_) << contents; }

  const std::string path_ = testing::TempDir() + "/alerts.json";
  FileTransport transport_{path_};
};

TEST_F(FileTransportTest, LinesAreAppendedToAFileThatOthersMayRead) {
  umask(022);
  ASSERT_OK(Write({"a", "b"}));
  ASSERT_OK(Write({"c"}));
  EXPECT_EQ(Contents(path_), "a\nb\nc\n");
  struct stat info {};
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
}

TEST_F(FileTransportTest, ALineThatACrashCutShortIsRemoved) {
  Put("{\"severity\":1}\n{\"severity\":5,\"thr");
  ASSERT_OK(Write({"{\"severity\":5}"}));
  EXPECT_EQ(Contents(path_), "{\"severity\":1}\n{\"severity\":5}\n");
}

TEST_F(FileTransportTest, NulsThatAPowerLossLeftAreRemoved) {
  Put(std::string("{\"severity\":1}\n\0\0\0", 18));
  ASSERT_OK(Write({"x"}));
  EXPECT_EQ(Contents(path_), "{\"severity\":1}\nx\n");
}

TEST_F(FileTransportTest, WhatSomebodyElseWroteIsEndedNotRemoved) {
  Put("# notes of an operator");
  ASSERT_OK(Write({"x"}));
  EXPECT_EQ(Contents(path_), "# notes of an operator\nx\n");
}

TEST_F(FileTransportTest, AfterARotationReopenMakesANewFile) {
  ASSERT_OK(Write({"a"}));
  ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  ASSERT_OK(Write({"b"}));
  transport_.Reopen();
  ASSERT_OK(Write({"c"}));
  EXPECT_EQ(Contents(path_ + ".1"), "a\nb\n");
  EXPECT_EQ(Contents(path_), "c\n");
}

TEST_F(FileTransportTest, ErrorsNameThePathAndHeal) {
  size_t cut = 0;
  FileTransport full("/dev/full");
  EXPECT_THAT(full.Write({std::string("a")}, &cut),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("/dev/full")));
  const std::string folder = testing::TempDir() + "/not_yet";
  FileTransport missing(folder + "/alerts.json");
  EXPECT_THAT(missing.Write({std::string("a")}, &cut), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  EXPECT_OK(missing.Write({std::string("a")}, &cut));
}

SocketAddress AddressOf(const fakes::FakeSyslog& server, SocketAddress::Protocol protocol) {
  return {"127.0.0.1", server.port(), protocol};
}

TEST(SocketTransportTest, SyslogOverTcpIsFramedAsNfrDoes) {
  fakes::FakeSyslog server;
  SocketTransport transport(AddressOf(server, SocketAddress::Protocol::kTcp),
                            [](absl::string_view message) {
                              return SyslogFrame(message, "2026-11-24T12:00:00Z", "sensor", 42);
                            });
  size_t cut = 0;
  ASSERT_OK(transport.Write({std::string("{\"a\":1}"), std::string("b")}, &cut));
  server.Await(2);
  EXPECT_THAT(server.messages(), ElementsAre("<9>2026-11-24T12:00:00Z sensor NFR[42]: {\"a\":1}",
                                             "<9>2026-11-24T12:00:00Z sensor NFR[42]: b"));
}

TEST(SocketTransportTest, GelfOverTcpEndsWithNewlineAndNul) {
  fakes::FakeSyslogOptions options;
  options.end = '\0';
  fakes::FakeSyslog server(options);
  SocketTransport transport(AddressOf(server, SocketAddress::Protocol::kTcp), GelfFrame);
  size_t cut = 0;
  ASSERT_OK(transport.Write({std::string("{}")}, &cut));
  server.Await(1);
  EXPECT_THAT(server.messages(), ElementsAre("{}\n"));
}

TEST(SocketTransportTest, UdpSendsOneDatagramAMessageAndCutsWhatIsTooLong) {
  fakes::FakeSyslogOptions options;
  options.tcp = false;
  fakes::FakeSyslog server(options);
  SocketTransport transport(AddressOf(server, SocketAddress::Protocol::kUdp),
                            [](absl::string_view message) { return std::string(message); });
  size_t cut = 0;
  ASSERT_OK(transport.Write({std::string("a"), std::string(70'000, 'b')}, &cut));
  ASSERT_EQ(server.Await(2), 2u);
  EXPECT_EQ(cut, 1u);
  EXPECT_EQ(server.messages()[1].size(), 65'000u);
}

TEST(SocketTransportTest, ADeadServerIsAnErrorAndALivingOneIsFoundAgain) {
  fakes::FakeSyslog server;
  SocketTransport transport(AddressOf(server, SocketAddress::Protocol::kTcp),
                            [](absl::string_view message) { return absl::StrCat(message, "\n"); });
  size_t cut = 0;
  ASSERT_OK(transport.Write({std::string("a")}, &cut));
  server.Await(1);
  server.HangUp();
  ASSERT_OK(transport.Write({std::string("b")}, &cut)) << "a new connection";
  server.Await(2);
  server.Stop();
  EXPECT_THAT(transport.Write({std::string("c")}, &cut),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("refused")));
  server.Start();
  ASSERT_OK(transport.Write({std::string("c")}, &cut));
  server.Await(3);
  EXPECT_THAT(server.messages(), ElementsAre("a", "b", "c"));
}

TEST(SocketTransportTest, CancelEndsEveryWrite) {
  fakes::FakeSyslog server;
  SocketTransport transport(AddressOf(server, SocketAddress::Protocol::kTcp),
                            [](absl::string_view message) { return std::string(message); });
  transport.Cancel();
  size_t cut = 0;
  const std::string much(64 << 20, 'x');  // more than any socket buffer
  EXPECT_THAT(transport.Write({much}, &cut), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace nightjar::alert_poller
