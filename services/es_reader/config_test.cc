#include "services/es_reader/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::Config Example() {
  config::Config config;
  config.path = "config.yml";
  config.elastic.enabled = true;
  config.elastic.hosts = {"http://127.0.0.1:9200"};
  config::SearchConfig search;
  search.indices = {"packetbeat-*"};
  config.elastic.searches = {search};
  config.data.dir = "/data";
  return config;
}

TEST(ConfigTest, TheReadersOptionsComeFromTheFile) {
  config::Config config = Example();
  config.reader.max_docs_per_second = 500;
  config.reader.searches_in_flight_max = 2;
  const absl::StatusOr<ReaderOptions> options = OptionsFromConfig(config);
  ASSERT_OK(options);
  EXPECT_THAT(options->elastic.hosts, ElementsAre("http://127.0.0.1:9200"));
  EXPECT_THAT(options->patterns, ElementsAre("packetbeat-*"));
  EXPECT_EQ(options->throttle.docs_per_second_max, 500u);
  EXPECT_EQ(options->throttle.searches_in_flight_max, 2);
  EXPECT_EQ(options->state_folder, "/data/es_reader");
  EXPECT_THAT(options->scorers, testing::ElementsAre("127.0.0.1:7402"));
  EXPECT_FALSE(options->start_was_set);
}

TEST(ConfigTest, ADifferentStartIsAWishOfTheUser) {
  config::Config config = Example();
  config.reader.start = "earliest";
  EXPECT_TRUE(OptionsFromConfig(config)->start_was_set);
}

TEST(ConfigTest, WhatCannotWorkIsRefusedAtTheStart) {
  const struct {
    void (*spoil)(config::Config&);
    const char* problem;
  } kCases[] = {
      {[](config::Config& c) { c.elastic.enabled = false; }, "inputs.elastic is not enabled"},
      {[](config::Config& c) { c.reader.start = "soon"; }, "reader.start: \"soon\""},
      {[](config::Config& c) { c.services.scorer.addresses = {}; },
       "services.scorer.address: no address"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.problem);
    config::Config config = Example();
    test.spoil(config);
    const auto options = OptionsFromConfig(config);
    EXPECT_THAT(options, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(test.problem)));
    EXPECT_EQ(ExitStatus(options.status()), kExitConfig);
  }
}

TEST(ConfigTest, EveryLifeOfAReaderHasItsOwnName) {
  const ReaderOptions options = *OptionsFromConfig(Example());
  EXPECT_NE(FlowOptions(options, 1).source, FlowOptions(options, 1).source);
}

}  // namespace
}  // namespace nightjar::es_reader
