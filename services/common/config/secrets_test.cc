// Secrets that config.yml only refers to: who reads them, and what is said of them.
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/config/config.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::config {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kElasticText[] =
    "inputs:\n"
    "  elastic:\n"
    "    enabled: true\n"
    "    hosts: [\"${file:/nonexistent}\"]\n"
    "    searches:\n"
    "      - event_type: dns\n"
    "        indices: [packetbeat-*]\n";

Config MustLoad(absl::string_view text, unsigned sections) {
  auto config = LoadText(text, "config.yml", sections);
  EXPECT_OK(config);
  return config.ok() ? *std::move(config) : Config();
}

TEST(SecretsTest, ReferencesOfOtherSectionsNeedNotResolve) {
  const std::string text = absl::StrCat(
      "engine: {ca_file: '${env:NIGHTJAR_NOT_SET}', api_key: '${env:NIGHTJAR_NOT_SET}'}\n",
      kElasticText);
  const Config config = MustLoad(text, 0);
  EXPECT_FALSE(config.engine.api_key.empty());
  EXPECT_THAT(LoadText(text, "config.yml", kEngine),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "config.yml:1: engine.api_key: environment variable NIGHTJAR_NOT_SET is "
                       "not set"));
  EXPECT_THAT(LoadText(text, "config.yml", kElastic),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "config.yml:5: inputs.elastic.hosts[0]: /nonexistent: cannot be read: No "
                       "such file or directory"));
}

TEST(SecretsTest, OnlyTheEngineNeedsTheKeysOfItsClients) {
  const std::string text =
      "analytics_engine:\n  api_keys:\n    - {name: a, key: '${file:/nonexistent}', scopes: "
      "ingest}\n";
  const Config config = MustLoad(text, kElastic | kEngine);
  EXPECT_EQ(config.analytics_engine.api_keys[0].name, "a");
  EXPECT_THAT(Dump(config), HasSubstr("key: \"********\""));
  EXPECT_THAT(LoadText(text, "config.yml", kApiKeys),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "config.yml:3: analytics_engine.api_keys[0].key: /nonexistent: cannot be "
                       "read: No such file or directory"));
}

TEST(SecretsTest, WhatAReferenceStandsForIsNeverShown) {
  setenv("NIGHTJAR_CANARY", "canary", 1);
  const auto config = LoadText("log: {level: '${env:NIGHTJAR_CANARY}'}", "config.yml", kAll);
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument,
                               "config.yml:1: log.level: ${env:NIGHTJAR_CANARY} is not one of: "
                               "debug, info, warn, error"));
}

TEST(SecretsTest, TheFilesThatWereReadAreNamed) {
  const std::string file = testing::TempDir() + "/key";
  std::ofstream(file) << "a-key\n";
  const std::string text = absl::StrCat("engine: {api_key: '${file:", file, "}'}\n");
  const Config config = MustLoad(text, kEngine);
  EXPECT_EQ(config.engine.api_key.reveal(), "a-key");
  EXPECT_THAT(config.files, ElementsAre(Field(&FileStamp::path, file)));
  EXPECT_THAT(MustLoad(text, kElastic).files, IsEmpty());
}

}  // namespace
}  // namespace nightjar::config
