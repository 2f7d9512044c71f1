#include "services/cli/check.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;

std::string Write(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path) << text;
  return path;
}

// Checks a file with a usable beginning and `rest`.
absl::StatusOr<std::string> CheckWith(const std::string& rest) {
  const std::string path =
      Write("config.yml", absl::StrCat("inputs: {elastic: {enabled: true, hosts: "
                                       "[\"http://127.0.0.1:9200\"], searches: "
                                       "[{event_type: dns, indices: [packetbeat-*]}]}}\n",
                                       rest));
  return Check(path, /*own_folder=*/"/nonexistent", /*libexec=*/"");
}

constexpr char kEngine[] = "engine: {host: \"https://engine.example\", api_key: top-secret}\n";

TEST(CheckTest, AGoodFileSaysWhereEventsGoAndWhatIsMasked) {
  const auto text = CheckWith(absl::StrCat(kEngine,
                                           "privacy: {secret_parameters: [pin]}\n"
                                           "data: {dir: /run/nightjar}\n"));
  EXPECT_THAT(
      text, IsOkAndHolds(AllOf(HasSubstr("telemetry is read from http://127.0.0.1:9200"),
                               HasSubstr("events go to https://engine.example (kind alphasoc)\n"),
                               HasSubstr("the parameters pin\n"),
                               HasSubstr("warning: es-reader has not checked its own part"),
                               HasSubstr("warning: data.dir: /run/nightjar dies with a reboot"),
                               HasSubstr("state: /run/nightjar\n"),
                               HasSubstr("warning: es-reader has not checked its own part"),
                               HasSubstr("stages: alert-poller, ae-forwarder, scorer, es-reader\n"),
                               EndsWith("\nOK\n"))));
  EXPECT_THAT(*text, testing::Not(HasSubstr("top-secret")));
}

TEST(CheckTest, TheEmbeddedEngineIsNamedAsSuch) {
  EXPECT_THAT(CheckWith("engine: {host: local}\nprivacy: {redact_url: false}\n"),
              IsOkAndHolds(AllOf(HasSubstr("the embedded engine on this host (kind nightjar)"),
                                 HasSubstr("NOT masked"), HasSubstr("stages: analytics-engine"))));
}

TEST(CheckTest, ScopeAndListsAreReadToo) {
  const std::string scope =
      Write("scope.yml", "groups: {office: {label: Office, in_scope: [10.0.0.0/8]}}\n");
  const std::string list = Write("c2.txt", "evil.example\n192.0.2.1\n");
  EXPECT_THAT(
      CheckWith(absl::StrCat(kEngine, "scope: {file: ", scope, "}\n",
                             "scoring: {lists: [{name: c2, file: ", list, "}]}\n")),
      IsOkAndHolds(AllOf(HasSubstr("scope.yml, 1 groups\n"), HasSubstr("lists: 1, 2 entries\n"))));
}

struct Wrong {
  const char* name;
  const char* rest;
  const char* says;
};
class WrongFileTest : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFileTest, IsRefusedWithExitCode78AndItsReason) {
  const absl::Status status = CheckWith(GetParam().rest).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().says)));
  EXPECT_EQ(ExitStatus(status), kExitConfig);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongFileTest,
    testing::Values(Wrong{"UnknownKey", "engine: {hots: x}\n", "hots"},
                    Wrong{"NoApiKey", "engine: {host: \"https://engine.example\"}\n", "api_key"},
                    Wrong{"UnknownVariable", "engine: {api_key: \"${env:NOT_SET_ANYWHERE}\"}\n",
                          "NOT_SET_ANYWHERE"},
                    Wrong{"NoScopeFile", "engine: {api_key: k}\nscope: {file: /no/scope.yml}\n",
                          "/no/scope.yml"},
                    Wrong{"NoListFile",
                          "engine: {api_key: k}\n"
                          "scoring: {lists: [{name: c2, file: /no/c2.txt}]}\n",
                          "/no/c2.txt"},
                    Wrong{"NoCertificate",
                          "engine: {api_key: k}\nsecurity: {ca_file: /no/ca.pem, "
                          "certificate_file: /no/c.pem, key_file: /no/k.pem}\n",
                          "/no/"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nightjar::cli
