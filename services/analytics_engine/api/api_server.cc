#include "services/analytics_engine/api/api_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "httplib.h"
#include "services/analytics_engine/api/event_decoder.h"
#include "services/analytics_engine/api/replies.h"
#include "services/common/clock/clock.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::analytics_engine {
namespace {

constexpr char kJson[] = "application/json";
constexpr char kAnyPath[] = R"([\s\S]*)";

// What is read and thrown away of a body that is too large, so that its sender gets to read the
// answer; then the connection ends.
constexpr size_t kThrownAwayBytesMax = 64 << 20;
constexpr size_t kRequestsPerConnectionMax = 1'000'000;

// Without the library's SO_REUSEPORT, which would let two processes share a port without a word.
void SetSocketOptions(int fd) {
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

ApiRequest ToRequest(const httplib::Request& in) {
  ApiRequest request;
  request.method = in.method;
  request.path = in.path;
  request.peer = in.remote_addr;
  request.authorization = in.get_header_value("Authorization");
  for (const auto& [name, value] : in.params) request.parameters.emplace(name, value);
  return request;
}

void Write(const ApiReply& reply, httplib::Response& out) {
  out.status = reply.status;
  out.set_content(reply.json, kJson);
  if (reply.status == 401) out.set_header("WWW-Authenticate", "Basic realm=\"Nightjar\"");
  if (reply.status == 429) out.set_header("Retry-After", absl::StrCat(kRetryAfterSeconds));
}

// The encodings that the library undoes on the way and API v1 has.
bool IsKnownEncoding(const std::string& encoding) {
  return encoding.empty() || encoding == "identity" || encoding == "gzip" || encoding == "deflate";
}

class BodyReader {
 public:
  BodyReader(const httplib::Request& in, const httplib::ContentReader& reader)
      : in_(in), reader_(reader) {}

  absl::Status Read(std::string* body, size_t* size) {
    const std::string encoding = in_.get_header_value("Content-Encoding");
    if (!IsKnownEncoding(encoding)) {
      return absl::InvalidArgumentError(
          absl::StrCat("Content-Encoding ", encoding, " is not known; gzip and deflate are"));
    }
    const bool whole = Receive(body);
    if (total_ > kApiBodyBytesMax) return TooLarge();
    if (!whole) return Broken(encoding);
    *size = body->size();
    body->append(kPaddingBytes, ' ');
    return absl::OkStatus();
  }

  // Leaves the connection at the next request, or tells to end it.
  void Finish(httplib::Response& out) {
    if (!read_) Receive(nullptr);
    if (!complete_) out.set_header("Connection", "close");
  }

 private:
  bool Receive(std::string* body) {
    read_ = true;
    if (in_.is_multipart_form_data()) return false;
    const bool chunked = in_.has_header("Transfer-Encoding");
    // The library would read on until the connection ends.
    if (!chunked && !in_.has_header("Content-Length")) return complete_ = true;
    if (body != nullptr && !chunked) body->reserve(std::min(Length(), kApiBodyBytesMax));
    complete_ = reader_([this, body](const char* data, size_t size) {
      total_ += size;
      if (body != nullptr && total_ <= kApiBodyBytesMax) body->append(data, size);
      return total_ <= kThrownAwayBytesMax;
    });
    return complete_;
  }

  size_t Length() const { return in_.get_header_value<uint64_t>("Content-Length"); }

  absl::Status TooLarge() const {
    return absl::InvalidArgumentError(absl::StrCat("the body is over ", kApiBodyBytesMax,
                                                   " bytes uncompressed; send smaller ones"));
  }
  absl::Status Broken(const std::string& encoding) const {
    if (in_.is_multipart_form_data()) {
      return absl::InvalidArgumentError("a body is JSON objects, one a line, not a form");
    }
    if (Length() > kApiBodyBytesMax) return TooLarge();
    return absl::InvalidArgumentError(
        absl::StrCat("the body cannot be read: it is cut off",
                     encoding.empty() ? "" : absl::StrCat(", or is not ", encoding)));
  }

  const httplib::Request& in_;
  const httplib::ContentReader& reader_;
  size_t total_ = 0;  // bytes, decompressed
  bool read_ = false, complete_ = false;
};

void AddHandlers(ApiHandler& handler, httplib::Server& server) {
  server.Get(kAnyPath, [&handler](const httplib::Request& in, httplib::Response& out) {
    Write(handler.Handle(ToRequest(in)), out);
  });
  // With a content reader everywhere: the library would read other bodies whole, however large they
  // become, before it looks at the path.
  const auto with_body = [&handler](const httplib::Request& in, httplib::Response& out,
                                    const httplib::ContentReader& content) {
    BodyReader reader(in, content);
    ApiRequest request = ToRequest(in);
    request.read_body = [&reader](std::string* body, size_t* size) {
      return reader.Read(body, size);
    };
    const ApiReply reply = handler.Handle(request);
    reader.Finish(out);
    Write(reply, out);
  };
  server.Post(kAnyPath, with_body);
  server.Put(kAnyPath, with_body);
  server.Patch(kAnyPath, with_body);
  server.Delete(kAnyPath, with_body);
  // What the library refuses by itself: clients know 400 only.
  server.set_error_handler([](const httplib::Request&, httplib::Response& out) {
    if (!out.body.empty()) return;
    const std::string text = absl::StrCat("not understood (HTTP ", out.status, ")");
    Write({400, MessageJson(text)}, out);
  });
}

// The library keeps its connections to itself, and a client that sends a byte now and then could
// keep this process for ever.
void CutConnections(int port) {
  for (int fd = 0; fd < getdtablesize(); ++fd) {
    sockaddr_storage own{}, peer{};
    socklen_t own_size = sizeof(own), peer_size = sizeof(peer);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) continue;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) continue;
    // The port is at the same place in addresses of IPv4 and IPv6.
    const bool internet = own.ss_family == AF_INET || own.ss_family == AF_INET6;
    if (!internet || ntohs(reinterpret_cast<sockaddr_in&>(own).sin_port) != port) continue;
    spdlog::warn("a request to the API is cut off: it did not end within {} s of the stop",
                 absl::ToInt64Seconds(kApiDrainMax));
    shutdown(fd, SHUT_RDWR);
  }
}

std::unique_ptr<httplib::Server> MakeServer(bool tls, ApiCertificate& certificate) {
  if (!tls) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>([&certificate](SSL_CTX& context) {
    certificate.Install(context);
    return true;
  });
}

}  // namespace

ApiServer::ApiServer(ApiHandler& handler) : handler_(handler) {}

ApiServer::~ApiServer() { Shutdown(); }

absl::StatusOr<std::string> ApiServer::Start(const ApiServerOptions& options) {
  runtime::ListenAddress address = options.listen;
  RETURN_IF_ERROR(runtime::CheckCanListen(address, "the API"));
  options_ = options;
  RETURN_IF_ERROR(ReloadCertificate());
  server_ = MakeServer(!options.certificate_file.empty(), certificate_);
  if (!server_->is_valid()) return absl::InternalError("TLS is not available for the API");
  server_->new_task_queue = [] { return new httplib::ThreadPool(kApiThreads); };
  server_->set_socket_options(SetSocketOptions);
  server_->set_tcp_nodelay(true);
  server_->set_read_timeout(kApiReadWriteSeconds);
  server_->set_write_timeout(kApiReadWriteSeconds);
  server_->set_keep_alive_timeout(kApiIdleSeconds);
  server_->set_keep_alive_max_count(kRequestsPerConnectionMax);
  server_->set_payload_max_length(kApiBodyBytesMax);
  AddHandlers(handler_, *server_);
  if (address.port == 0) {
    address.port = server_->bind_to_any_port(address.host);
  } else if (!server_->bind_to_port(address.host, address.port)) {
    address.port = -1;
  }
  if (address.port < 0) {
    return ConfigError(
        absl::StrCat("cannot listen on ", options.listen.ToString(), " for the API"));
  }
  port_ = address.port;
  thread_ = std::thread([this] {
    server_->listen_after_bind();
    std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    ended_changed_.notify_all();
  });
  // Only then can stop() be relied on.
  while (!server_->is_running()) std::this_thread::yield();
  return address.ToString();
}

absl::Status ApiServer::ReloadCertificate() {
  if (options_.certificate_file.empty()) return absl::OkStatus();
  return certificate_.Load(options_.certificate_file, options_.key_file);
}

void ApiServer::Shutdown() {
  if (server_ != nullptr) server_->stop();
  if (!thread_.joinable()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  const bool ended =
      SystemClock().WaitFor(lock, ended_changed_, kApiDrainMax, [this] { return ended_; });
  lock.unlock();
  if (!ended) CutConnections(port_);
  thread_.join();
}

}  // namespace nightjar::analytics_engine
