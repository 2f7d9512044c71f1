// The probe as a program, against a real HTTP server and against what is none.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "httplib.h"

namespace nightjar::images {
namespace {

int Probe(const std::string& arguments) {
  const std::string command = "deploy/images/probe " + arguments + " 2>/dev/null";
  return WEXITSTATUS(std::system(command.c_str()));
}

class ProbeTest : public testing::Test {
 protected:
  ProbeTest() {
    server_.Get("/good", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_content("ok", "text/plain");
    });
    server_.Get("/bad", [](const httplib::Request&, httplib::Response& reply) {
      reply.status = 503;
      reply.set_content("200 200 200", "text/plain");
    });
    server_.Get("/away", [](const httplib::Request&, httplib::Response& reply) {
      reply.set_redirect("/good");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // stop() would be too early
  }
  ~ProbeTest() override {
    server_.stop();
    thread_.join();
  }

  std::string Url(const std::string& host, const std::string& path) const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(ProbeTest, Status200IsHealthy) {
  EXPECT_EQ(Probe(Url("127.0.0.1", "/good")), 0);
  EXPECT_EQ(Probe(Url("127.0.0.1", "/good") + " 2"), 0);
}

TEST_F(ProbeTest, NamesAreLookedUp) { EXPECT_EQ(Probe(Url("localhost", "/good")), 0); }

TEST_F(ProbeTest, AnyOtherStatusIsNot) {
  EXPECT_EQ(Probe(Url("127.0.0.1", "/bad")), 1);
  EXPECT_EQ(Probe(Url("127.0.0.1", "/away")), 1);
  EXPECT_EQ(Probe(Url("127.0.0.1", "/missing")), 1);
}

// A socket of this host that answers nothing; the kernel accepts when `listening`.
class MuteSocket {
 public:
  explicit MuteSocket(bool listening) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, any, size), 0);
    if (listening) {
      EXPECT_EQ(listen(fd_, 1), 0);
    }
    EXPECT_EQ(getsockname(fd_, any, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~MuteSocket() { close(fd_); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  const int fd_;
  int port_ = 0;
};

TEST(ProbeFailureTest, NobodyThereIsNotHealthy) {
  EXPECT_EQ(Probe(MuteSocket(/*listening=*/false).url()), 1);
  EXPECT_EQ(Probe("http://no-such-host.invalid/"), 1);
}

TEST(ProbeFailureTest, SilenceEndsWithTheTimeout) {
  const MuteSocket socket(/*listening=*/true);
  EXPECT_EQ(Probe(socket.url() + " 1"), 1);
}

TEST(ProbeUsageTest, WrongCallsSaySo) {
  for (const char* wrong :
       {"", "ftp://host/", "https://host/", "http://", "http://host:/", "http://127.0.0.1/ 0",
        "http://127.0.0.1/ 5s", "http://127.0.0.1/ 61", "http://127.0.0.1/ 1 2"}) {
    EXPECT_EQ(Probe(wrong), 64) << wrong;
  }
}

}  // namespace
}  // namespace nightjar::images
