#include "tests/fakes/fake_engine.h"

#include <fcntl.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "httplib.h"
#include "services/common/status/check.h"

namespace nightjar::fakes {
namespace {

// Lines of a newline-separated body, without the empty last one.
std::vector<absl::string_view> Lines(absl::string_view body) {
  return absl::StrSplit(body, '\n', absl::SkipEmpty());
}

std::string Message(absl::string_view text) { return absl::StrCat("{\"message\":\"", text, "\"}"); }

}  // namespace

std::optional<uint64_t> EventId(absl::string_view line) {
  for (size_t at = line.find("nj"); at != absl::string_view::npos; at = line.find("nj", at + 2)) {
    size_t end = at + 2;
    uint64_t id = 0;
    while (end < line.size() && line[end] >= '0' && line[end] <= '9') {
      id = id * 10 + static_cast<uint64_t>(line[end++] - '0');
    }
    if (end > at + 2 && end < line.size() && line[end] == 'x') return id;
  }
  return std::nullopt;
}

struct FakeEngine::Impl {
  explicit Impl(FakeEngineOptions engine_options) : options(std::move(engine_options)) {
    if (!options.id_log.empty()) {
      id_log = open(options.id_log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      CHECK(id_log >= 0);
    }
    server.new_task_queue = [] { return new httplib::ThreadPool(16); };
    server.set_payload_max_length(64 << 20);
    server.set_tcp_nodelay(true);
    server.set_keep_alive_max_count(1 << 30);
    server.Get("/v1/account/status", [this](const httplib::Request& in, httplib::Response& out) {
      if (!Authorized(in, out)) return;
      std::lock_guard<std::mutex> lock(mutex);
      out.set_content(account_reply, "application/json");
    });
    server.Post(R"(/v1/events/(\w+))", [this](const httplib::Request& in, httplib::Response& out) {
      TakeEvents(in, out);
    });
    server.Get("/v1/alerts", [this](const httplib::Request& in, httplib::Response& out) {
      if (Authorized(in, out)) GiveAlerts(in.get_param_value("follow"), out);
    });
    server.Get("/fake/stats", [this](const httplib::Request&, httplib::Response& out) {
      std::lock_guard<std::mutex> lock(mutex);
      out.set_content(absl::StrCat("{\"posts\":", stats.posts, ",\"accepted\":", stats.accepted,
                                   ",\"rejected\":", stats.rejected, ",\"distinct\":", ids.size(),
                                   ",\"bodyBytes\":", stats.body_bytes, "}\n"),
                      "application/json");
    });
    port = options.port == 0 ? server.bind_to_any_port("127.0.0.1") : options.port;
    if (options.port != 0) CHECK(server.bind_to_port("127.0.0.1", options.port));
    CHECK(port > 0);
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
  }

  ~Impl() {
    server.stop();
    thread.join();
    if (id_log >= 0) close(id_log);
  }

  bool Authorized(const httplib::Request& in, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    const std::string wanted = "Basic " + absl::Base64Escape(options.api_key + ":");
    if (in.get_header_value("Authorization") == wanted) return true;
    out.status = 401;
    out.set_content(Message("invalid API key"), "application/json");
    return false;
  }

  std::optional<EngineFault> TakeFault() {
    std::lock_guard<std::mutex> lock(mutex);
    ++stats.posts;
    if (!queued.empty()) {
      EngineFault fault = queued.front();
      queued.pop_front();
      return fault;
    }
    return fault;
  }

  void GiveAlerts(const std::string& follow, httplib::Response& out) {
    std::lock_guard<std::mutex> lock(mutex);
    polls.push_back(follow);
    if (!poll_faults.empty()) {
      const EngineFault fault = poll_faults.front();
      poll_faults.pop_front();
      return AnswerPoll(fault, out);
    }
    if (alerts_reply.has_value()) return out.set_content(*alerts_reply, "application/json");
    size_t page = 0;
    absl::string_view number = follow;
    const bool known =
        follow.empty() || (absl::ConsumePrefix(&number, "page-") &&
                           absl::SimpleAtoi(number, &page) && page <= alert_pages.size());
    if (!known) {
      out.status = 400;
      return out.set_content(Message("unknown follow"), "application/json");
    }
    const bool has_page = page < alert_pages.size();
    out.set_content(
        absl::StrCat("{\"follow\":\"page-", page + (has_page ? 1 : 0),
                     "\",\"more\":", page + 1 < alert_pages.size() ? "true" : "false", ",",
                     has_page ? alert_pages[page] : "\"alerts\":[],\"threats\":{}", "}"),
        "application/json");
  }

  static void AnswerPoll(const EngineFault& fault, httplib::Response& out) {
    if (fault.kind == EngineFault::Kind::kHtml) {
      return out.set_content("<html><body>Please log in</body></html>", "text/html");
    }
    if (fault.kind == EngineFault::Kind::kDropReply) {
      return out.set_content_provider(1000, "application/json",
                                      [](size_t, size_t, httplib::DataSink&) { return false; });
    }
    out.status = fault.status;
    if (fault.retry_after_seconds.has_value()) {
      out.set_header("Retry-After", absl::StrCat(*fault.retry_after_seconds));
    }
    out.set_content(Message("told to fail"), "application/json");
  }

  void TakeEvents(const httplib::Request& in, httplib::Response& out) {
    if (!Authorized(in, out)) return;
    std::optional<EngineFault> fault = TakeFault();
    if (fault.has_value() && fault->kind == EngineFault::Kind::kStatus) {
      out.status = fault->status;
      if (fault->retry_after_seconds.has_value()) {
        out.set_header("Retry-After", absl::StrCat(*fault->retry_after_seconds));
      }
      out.set_content(Message("told to fail"), "application/json");
      return;
    }
    if (fault.has_value() && fault->kind == EngineFault::Kind::kHtml) {
      out.set_content("<html><body>Please log in</body></html>", "text/html");
      return;
    }
    if (in.body.size() > options.body_bytes_max) {
      out.status = 400;
      out.set_content(Message("body too large"), "application/json");
      return;
    }
    if (fault.has_value() && fault->kind == EngineFault::Kind::kSlow) {
      std::this_thread::sleep_for(absl::ToChronoMilliseconds(fault->delay));
    }
    Accept(in, out);
    if (!fault.has_value()) return;
    if (fault->kind == EngineFault::Kind::kWrongCounts) {
      out.set_content(R"({"received":0,"accepted":0,"rejected":{}})", "application/json");
    }
    if (fault->kind == EngineFault::Kind::kDropReply) {
      out.body.clear();
      // A provider that fails at once makes the server close the connection without a reply's body.
      out.set_content_provider(1000, "application/json",
                               [](size_t, size_t, httplib::DataSink&) { return false; });
    }
  }

  void Accept(const httplib::Request& in, httplib::Response& out) {
    const std::string type = in.matches[1];
    const std::vector<absl::string_view> lines = Lines(in.body);
    std::string refused;
    std::string log;
    size_t rejected = 0;
    std::lock_guard<std::mutex> lock(mutex);
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!poison.empty() && lines[i].find(poison) != absl::string_view::npos) {
        out.status = 400;
        out.set_content(Message("malformed event"), "application/json");
        return;
      }
    }
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!reject_text.empty() && lines[i].find(reject_text) != absl::string_view::npos) {
        absl::StrAppend(&refused, rejected++ == 0 ? "" : ",", "{\"line\":", i, ",\"reason\":\"",
                        reject_reason, "\"}");
        continue;
      }
      if (std::optional<uint64_t> id = EventId(lines[i]); id.has_value()) {
        ++ids[*id];
        if (id_log >= 0) absl::StrAppend(&log, *id, "\n");
      }
      if (kept[type].size() < options.kept_lines_max) kept[type].emplace_back(lines[i]);
    }
    if (id_log >= 0) {
      CHECK(write(id_log, log.data(), log.size()) == static_cast<ssize_t>(log.size()));
      CHECK(fdatasync(id_log) == 0);
    }
    stats.accepted += lines.size() - rejected;
    stats.accepted_by_type[type] += lines.size() - rejected;
    stats.rejected += rejected;
    stats.body_bytes += in.body.size();
    stats.body_events_max = std::max(stats.body_events_max, lines.size());
    std::string counts;
    if (rejected > 0) counts = absl::StrCat("\"", reject_reason, "\":", rejected);
    out.set_content(
        absl::StrCat("{\"received\":", lines.size(), ",\"accepted\":", lines.size() - rejected,
                     ",\"rejected\":{", counts, "},\"rejectedLines\":[", refused, "]}"),
        "application/json");
  }

  FakeEngineOptions options;
  httplib::Server server;
  int port = 0;
  int id_log = -1;
  std::thread thread;
  mutable std::mutex mutex;
  std::deque<EngineFault> queued;
  std::optional<EngineFault> fault;
  std::string reject_text, reject_reason, poison;
  std::vector<std::string> alert_pages;  // what follows "more", without the brackets
  std::deque<EngineFault> poll_faults;
  std::optional<std::string> alerts_reply;
  std::string account_reply = R"({"registered":true,"expired":false,"messages":[]})";
  std::vector<std::string> polls;
  Stats stats;
  std::unordered_map<uint64_t, uint32_t> ids;
  std::map<std::string, std::vector<std::string>> kept;  // by type
};

FakeEngine::FakeEngine(FakeEngineOptions options) : impl_(new Impl(std::move(options))) {}
FakeEngine::~FakeEngine() = default;

std::string FakeEngine::url() const { return absl::StrCat("http://127.0.0.1:", impl_->port); }

void FakeEngine::FailNext(int posts, EngineFault fault) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->queued.insert(impl_->queued.end(), posts, fault);
}

void FakeEngine::SetFault(std::optional<EngineFault> fault) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->fault = fault;
}

void FakeEngine::RejectLinesWith(const std::string& text, const std::string& reason) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->reject_text = text;
  impl_->reject_reason = reason;
}

void FakeEngine::RefuseBodiesWith(const std::string& text) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->poison = text;
}

void FakeEngine::SetAccountReply(const std::string& body) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->account_reply = body;
}

void FakeEngine::SetApiKey(const std::string& key) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->options.api_key = key;
}

void FakeEngine::QueueAlerts(const std::string& alerts, const std::string& threats) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->alert_pages.push_back(
      absl::StrCat("\"alerts\":[", alerts, "],\"threats\":{", threats, "}"));
}

void FakeEngine::SetAlertsReply(std::optional<std::string> body) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->alerts_reply = std::move(body);
}

void FakeEngine::FailNextPolls(int polls, EngineFault fault) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->poll_faults.insert(impl_->poll_faults.end(), polls, fault);
}

std::vector<std::string> FakeEngine::polls() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->polls;
}

FakeEngine::Stats FakeEngine::stats() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->stats;
}

std::map<uint64_t, uint32_t> FakeEngine::accepted_ids() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return {impl_->ids.begin(), impl_->ids.end()};
}

std::vector<std::string> FakeEngine::lines(const std::string& type) const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->kept[type];
}

}  // namespace nightjar::fakes
