// HTTP requests with limits on everything. The only user of libcurl.
#ifndef SERVICES_COMMON_HTTP_HTTP_CLIENT_H_
#define SERVICES_COMMON_HTTP_HTTP_CLIENT_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/config/secret.h"

namespace nightjar::http {

// How to reach one server. Verification of TLS peers is on; redirects, .netrc and proxies from the
// environment are off.
struct Endpoint {
  std::string user_agent;  // "nightjar/<version>"
  std::string basic_user;  // with basic_password: HTTP Basic; empty: none
  config::Secret basic_password;
  config::Secret authorization;         // whole value of an Authorization header; empty: none
  std::string ca_file;                  // PEM; empty: the system's
  std::string client_certificate_file;  // PEM; empty: none
  std::string client_key_file;
  // SHA-256 in hex, with or without colons: accept exactly chains that lead to this certificate,
  // whatever ca_file says, and even with insecure_skip_verify. Empty: off.
  std::string ca_fingerprint_sha256;
  bool insecure_skip_verify = false;  // logged and shown as a metric by whoever sets it
  std::string proxy;                  // empty: none
  bool accept_gzip = false;           // ask for compressed replies (links, not LANs)
  absl::Duration connect_timeout = absl::Seconds(5);
};

struct Request {
  std::string method = "GET";  // GET, POST, PUT, DELETE
  std::string url;             // http or https, no user part
  std::vector<std::pair<std::string, std::string>> headers;
  absl::string_view body;                      // must live until Send returns
  absl::Duration timeout = absl::Seconds(60);  // whole exchange
  size_t response_bytes_max = 64 << 20;        // after decompression; more is kResourceExhausted
};

// Reuse one object over many Sends: its buffer keeps its capacity.
struct Response {
  int status = 0;            // HTTP status
  std::string content_type;  // lower case, without parameters
  // The Retry-After header, seconds or date (seen from the server's Date); not capped here.
  std::optional<absl::Duration> retry_after;
  absl::Duration total_time;
  absl::Duration start_transfer_time;  // until the first byte of the reply
  // The body, followed by at least 64 readable bytes that are not part of it (simdjson reads past
  // the end).
  absl::string_view body() const { return absl::string_view(buffer.data(), body_bytes); }
  std::string buffer;
  size_t body_bytes = 0;
};

// One connection's worth of client: one Send at a time, from any thread (not concurrently). Keeps
// its connection alive.
class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // OK for every complete HTTP reply, whatever its status code. Otherwise:
  //   kUnavailable        no connection, reset, host unknown, TLS refused, not HTTP (the message
  //                       says which, and where)
  //   kDeadlineExceeded   the timeout passed, or nothing moved for 30 s
  //   kResourceExhausted  the reply is larger than response_bytes_max
  //   kCancelled          Cancel() was called
  //   kInvalidArgument    not a request: the URL (no http(s), has a user part), a header with a
  //                       line break, the fingerprint
  // libcurl itself sends once more, on a fresh connection, what a connection kept from an earlier
  // Send was closed on before any byte of a reply.
  absl::Status Send(const Request& request, Response* response);

  // Of the next Sends; not while one is in progress.
  void SetAuthorization(const config::Secret& value) { endpoint_.authorization = value; }

  // Ends a Send in progress and every later one. From any thread.
  void Cancel();

 private:
  struct Handle;
  Endpoint endpoint_;
  const std::unique_ptr<Handle> handle_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_HTTP_CLIENT_H_
