// Canary secrets go in wherever secrets may, and are looked for wherever anything comes out: none
// may be found. All stages as real processes, at log level debug, with what goes wrong on the way.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/process.h"
#include "tests/e2e/stages.h"
#include "tests/fakes/fake_elasticsearch.h"

namespace nightjar::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(60);
const std::vector<std::string> kStages = {"es-reader", "scorer", "ae-forwarder", "alert-poller",
                                          "analytics-engine"};

constexpr char kPassword[] = "canary-01-elastic-password";
constexpr char kNextPassword[] = "canary-02-elastic-password-next";
constexpr char kEngineKey[] = "canary-03-engine-key-0123456789";
constexpr char kOtherKey[] = "canary-04-other-engine-key-0123456789";
constexpr char kNextKey[] = "canary-05-next-engine-key-0123456789";
constexpr char kElasticKeyId[] = "canary-06-id", kElasticKey[] = "canary-06-elastic-api-key";
constexpr char kProxyUser[] = "canary-07-proxy-user";
constexpr char kProxyPassword[] = "canary-08-proxy-password";
constexpr char kUrlPassword[] = "canary-09-url-password";
constexpr char kUrlParameter[] = "canary-10-url-parameter";
constexpr char kRefererToken[] = "canary-11-referrer-token";
constexpr char kBrokenParameter[] = "canary-12-in-a-broken-document";

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class SecretsTest : public PipelineTest {
 protected:
  SecretsTest() : guarded_({"elastic", kPassword}), api_port_(FreePort()) {
    guarded_.CreateIndex(kIndex);
    const std::string script = Binaries() + "/deploy/certificates/certificates.sh";
    const std::string make =
        absl::StrCat("bash ", script, " ", folder_, "/certificates >/dev/null");
    EXPECT_EQ(std::system(make.c_str()), 0);
    Write("elastic_password", kPassword);
    Write("engine_key", kEngineKey);
    Write("other_key", kOtherKey);
    Write("c2.txt", "wiki.example\n");
    setenv("CANARY_ENGINE_KEY", kEngineKey, 1);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }

  StagesOptions Options() const {
    StagesOptions options;
    options.folder = folder_;
    options.binaries = Binaries();
    options.certificates = Path("certificates");
    options.config = absl::StrCat(
        "engine: {host: \"https://localhost:", api_port_, "\", kind: nightjar, ca_file: \"",
        Path("certificates/ca.crt"), "\", api_key: \"${env:CANARY_ENGINE_KEY}\",",
        " alerts: {poll_interval: 5s}}\ninputs: {elastic: {enabled: true, hosts: [\"",
        guarded_.url(), "\"], username: elastic, password: \"${file:", Path("elastic_password"),
        "}\", searches: [{event_type: http, indices: [\"packetbeat-*\"]}]}}\n",
        "outputs: {file: \"", Path("alerts.ndjson"), "\"}\nlog: {level: debug}\n",
        "reader: {start: earliest, poll_interval: 200ms}\n",
        "scoring: {lists: [{name: c2, file: \"", Path("c2.txt"),
        "\"}]}\nanalytics_engine: {listen: \"0.0.0.0:", api_port_,
        "\", api_keys: [{name: pipeline, key: \"${file:", Path("engine_key"),
        "}\", scopes: [ingest, alerts]}, {name: other, key: \"${file:", Path("other_key"),
        "}\", scopes: [ingest]}]}\n");
    for (const std::string& name : kStages) options.peers[name] = "operate_peers: [operator]";
    options.peers["scorer"] += "\n  flow_peers: [es-reader]";
    options.peers["ae-forwarder"] += "\n  flow_peers: [scorer]";
    return options;
  }

  void StartAll() {
    stages_ = std::make_unique<Stages>(Options());
    for (const char* name :
         {"analytics-engine", "ae-forwarder", "scorer", "es-reader", "alert-poller"}) {
      ASSERT_OK(stages_->Start(name));
    }
  }

  // A request whose every part that may hold a secret does, and one that is no event.
  void IndexTelemetry() {
    const std::string url = absl::StrCat("http://someone:", kUrlPassword,
                                         "@wiki.example/login?page=2&password=", kUrlParameter,
                                         "&access_token=", kUrlParameter);
    guarded_.Index(
        kIndex, "good",
        absl::StrCat(
            R"({"@timestamp":"2026-11-24T12:00:00.000Z","type":"http","event":{"dataset":)",
            R"("http"},"source":{"ip":"10.20.0.5","port":40000},"destination":{"ip":)",
            R"("203.0.113.30","port":80},"url":{"full":")", url,
            R"(","domain":"wiki.example","query":"password=)", kUrlParameter,
            R"("},"query":"GET /login?password=)", kUrlParameter,
            R"(","http":{"request":{"method":"get","referrer":)",
            R"("http://wiki.example/?access_token=)", kRefererToken,
            R"("},"response":{"status_code":200}},"agent":{"name":"sensor-01"}})"));
    guarded_.Index(kIndex, "broken",
                   absl::StrCat(R"({"@timestamp":"yesterday","type":"http","event":{"dataset":)",
                                R"("http"},"source":{"ip":"10.20.0.5"},"url":{"full":)",
                                R"("http://wiki.example/?password=)", kBrokenParameter, R"("}})"));
  }

  // A reader that meets a proxy that is away, with an API key.
  void RunReaderBehindProxy() {
    Write("proxy.yml",
          absl::StrCat("inputs: {elastic: {enabled: true, hosts: [\"https://es.example:9200\"],",
                       " api_key: \"", kElasticKeyId, ":", kElasticKey, "\", proxy: \"http://",
                       kProxyUser, ":", kProxyPassword, "@127.0.0.1:9\", searches: [{event_type: ",
                       "dns, indices: [\"packetbeat-*\"]}]}}\nlog: {level: debug}\ndata: {dir: \"",
                       Path("data-proxy"), "\"}\n"));
    auto reader = Process::Start({Binaries() + "/services/es_reader/es-reader", "--config",
                                  Path("proxy.yml"), "--listen", "127.0.0.1:0"},
                                 Path("proxy.log"));
    ASSERT_OK(reader);
    EXPECT_TRUE(Await(kPatience, [&] {
      return Content(Path("proxy.log")).find("127.0.0.1") != std::string::npos &&
             Content(Path("proxy.log")).find("es.example") != std::string::npos;
    })) << Content(Path("proxy.log"));
    reader->Signal(SIGTERM);
    EXPECT_THAT(reader->Wait(kPatience), IsOkAndHolds(0));
  }

  // What a command prints.
  std::string Output(const std::vector<std::string>& arguments) {
    const std::string path = Path("output");
    fs::remove(path);
    auto process = Process::Start(arguments, path);
    EXPECT_OK(process);
    EXPECT_OK(process->Wait(kPatience));
    return Content(path);
  }
  std::string Nightjar(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {Binaries() + "/services/cli/nightjar", "--config",
                                         stages_->WriteConfig("operator")});
    return Output(arguments);
  }

  void AddCalls(const std::string& name) {
    const auto stub = admin::v1::Stage::NewStub(grpc::CreateChannel(
        stages_->address(name), stages_->Identity("operator").channel_credentials()));
    grpc::ClientContext context;
    admin::v1::GetConfigResponse config;
    ASSERT_TRUE(stub->GetConfig(&context, admin::v1::GetConfigRequest(), &config).ok());
    EXPECT_THAT(config.yaml(), HasSubstr("********"));
    seen_["GetConfig of " + name] = config.yaml();
    const auto status = stages_->Status(name);
    ASSERT_OK(status);
    seen_["GetStatus of " + name] = status->DebugString();
  }

  void AddMetrics(const std::string& name) {
    const std::string addresses = Content(Path(name + ".addresses"));
    const size_t at = addresses.find("\"http\":\"") + 8;
    const std::string address = addresses.substr(at, addresses.find('"', at) - at);
    for (const char* scheme : {"http", "https"}) {
      httplib::Client client(
          absl::StrCat(scheme, "://127.0.0.1", address.substr(address.rfind(':'))));
      client.enable_server_certificate_verification(false);
      if (const auto metrics = client.Get("/metrics")) seen_["metrics of " + name] = metrics->body;
    }
    EXPECT_THAT(seen_["metrics of " + name], HasSubstr("nightjar_"));
  }

  // Everything in the test's folder but what the test itself put there.
  void AddFiles() {
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      const std::string path = entry.path();
      const bool ours = path.find("/certificates/") != std::string::npos ||
                        entry.path().extension() == ".yml" || entry.path().extension() == ".txt" ||
                        path == Path("elastic_password") || path == Path("engine_key") ||
                        path == Path("other_key");
      if (entry.is_regular_file() && !ours) seen_[path] = Content(path);
    }
  }

  // Every form in which a canary could come out, with its name.
  std::map<std::string, std::string> Forms() const {
    std::map<std::string, std::string> forms;
    for (const char* canary : {kPassword, kNextPassword, kEngineKey, kOtherKey, kNextKey,
                               kElasticKeyId, kElasticKey, kProxyUser, kProxyPassword, kUrlPassword,
                               kUrlParameter, kRefererToken, kBrokenParameter}) {
      forms[canary] = canary;
    }
    for (const char* canary : {kPassword, kNextPassword}) {
      forms[absl::StrCat(canary, " in base64")] =
          absl::Base64Escape(absl::StrCat("elastic:", canary));
    }
    for (const char* canary : {kEngineKey, kOtherKey, kNextKey}) {
      forms[absl::StrCat(canary, " in base64")] = absl::Base64Escape(absl::StrCat(canary, ":"));
    }
    forms["Elasticsearch's key in base64"] =
        absl::Base64Escape(absl::StrCat(kElasticKeyId, ":", kElasticKey));
    for (const std::string& stage : kStages) {
      // A line of the key itself.
      const std::string pem = Content(Path("certificates/" + stage + "/tls.key"));
      forms["private key of " + stage] = std::vector<std::string>(absl::StrSplit(pem, '\n')).at(1);
    }
    return forms;
  }

  // Secrets that change, and servers that refuse the old ones meanwhile.
  void ChangeSecrets() {
    guarded_.SetPassword(kNextPassword);
    ASSERT_TRUE(Await(kPatience,
                      [&] { return stages_->Log("es-reader").find("401") != std::string::npos; }));
    Write("elastic_password", kNextPassword);
    Write("engine_key", kNextKey);
    ASSERT_TRUE(Await(
        kPatience, [&] { return stages_->Log("alert-poller").find("401") != std::string::npos; }));
    ASSERT_TRUE(Await(kPatience, [&] {
      const auto status = stages_->Status("es-reader");
      return status.ok() && status->state() == admin::v1::STATE_READY;
    }));
    IndexTelemetry();
    ASSERT_TRUE(Await(kPatience, [&] {
      return stages_->Log("ae-forwarder").find("401") != std::string::npos;
    })) << stages_->Log("ae-forwarder");
  }

  void ExpectNowhere(const std::map<std::string, std::string>& forms) const {
    for (const auto& [place, text] : seen_) {
      EXPECT_FALSE(fs::path(place).filename().string().rfind("core", 0) == 0) << place;
      for (const auto& [name, form] : forms) {
        const size_t at = text.find(form);
        EXPECT_EQ(at, std::string::npos)
            << name << " in " << place << ": ..."
            << text.substr(at == std::string::npos ? 0 : at - std::min<size_t>(at, 80), 160);
      }
    }
  }

  fakes::FakeElasticsearch guarded_;
  const int api_port_;
  std::unique_ptr<Stages> stages_;
  std::map<std::string, std::string> seen_;  // what came out, by where
};

TEST_F(SecretsTest, NoCanaryComesOut) {
  IndexTelemetry();
  ASSERT_NO_FATAL_FAILURE(StartAll());
  ASSERT_TRUE(Await(
      kPatience,
      [&] { return Content(Path("alerts.ndjson")).find("wiki.example") != std::string::npos; }))
      << stages_->Log("es-reader") << stages_->Log("ae-forwarder");
  RunReaderBehindProxy();

  const std::string made = Nightjar({"keys", "create", "--scope", "ingest"});
  ASSERT_THAT(made, HasSubstr("njk_"));
  seen_["keys list"] = Nightjar({"keys", "list"});
  EXPECT_THAT(seen_["keys list"], HasSubstr("config:other"));

  ASSERT_NO_FATAL_FAILURE(ChangeSecrets());
  for (const std::string& name : kStages) {
    ASSERT_NO_FATAL_FAILURE(AddCalls(name));
    AddMetrics(name);
    const std::string pid = std::to_string(stages_->process(name).pid());
    seen_["command line of " + name] = Content("/proc/" + pid + "/cmdline");
    const std::string folder = name == "ae-forwarder"       ? "ae_forwarder"
                               : name == "alert-poller"     ? "alert_poller"
                               : name == "analytics-engine" ? "analytics_engine"
                               : name == "es-reader"        ? "es_reader"
                                                            : name;
    seen_["--check_config of " + name] =
        Output({absl::StrCat(Binaries(), "/services/", folder, "/", name), "--check_config",
                "--config", Path(name + ".yml")});
    EXPECT_THAT(seen_["--check_config of " + name], HasSubstr("OK"));
  }
  seen_["nightjar check"] = Nightjar({"check"});

  // The end of a stage that goes wrong.
  for (const std::string& name : kStages) {
    stages_->process(name).Signal(SIGABRT);
    EXPECT_THAT(stages_->process(name).Wait(kPatience), IsOkAndHolds(128 + SIGABRT));
  }
  fs::remove(Path("output"));
  AddFiles();
  // What is searched is there, and has met the secrets.
  EXPECT_THAT(seen_[Path("alerts.ndjson")], HasSubstr("page=2"));
  EXPECT_THAT(seen_[Path("data-es-reader/es_reader/quarantine.ndjson")], HasSubstr("broken"));

  std::map<std::string, std::string> forms = Forms();
  ASSERT_GE(forms.size(), 12u);
  forms["key made by nightjar"] = made.substr(made.find("njk_"), 40);
  ExpectNowhere(forms);
}

}  // namespace
}  // namespace nightjar::e2e
