#include "services/common/config/config.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kFolder[] = "services/common/config/testdata/";
constexpr char kElasticOn[] =
    "inputs:\n"
    "  elastic:\n"
    "    enabled: true\n"
    "    hosts: [http://localhost:9200]\n"
    "    searches:\n"
    "      - event_type: dns\n"
    "        indices: [packetbeat-*]\n";

Config MustLoad(absl::string_view text, unsigned sections = kAll) {
  auto config = LoadText(text, "config.yml", sections);
  EXPECT_OK(config);
  return config.ok() ? *std::move(config) : Config();
}

TEST(ConfigTest, NfrsFileLoadsUnchanged) {
  const auto config = Load(absl::StrCat(kFolder, "nfr.yml"), kAll);
  ASSERT_OK(config);
  EXPECT_THAT(config->engine.hosts, ElementsAre("https://api.alphasoc.net"));
  EXPECT_EQ(config->engine.kind, EngineKind::kAlphaSoc);
  EXPECT_EQ(config->engine.alerts_poll_interval, absl::Minutes(5));
  EXPECT_TRUE(config->elastic.enabled);
  EXPECT_THAT(config->elastic.hosts, ElementsAre("http://localhost:9200"));
  EXPECT_EQ(config->elastic.password.reveal(), "changeme");
  ASSERT_EQ(config->elastic.searches.size(), 4u);
  EXPECT_EQ(config->elastic.searches[3].event_type, EventType::kTls);
  EXPECT_THAT(config->elastic.searches[3].indices, ElementsAre("packetbeat-*"));
  EXPECT_THAT(config->elastic.searches[0].must_have_fields, IsEmpty());
  EXPECT_EQ(config->data.dir, "/run/nfr/data");
  EXPECT_EQ(config->outputs.file, "stderr");
  EXPECT_THAT(
      config->warnings,
      ElementsAre("keys that are accepted and have no meaning here: "
                  "inputs.elastic.searches[].batch_size, dns_events.buffer_size, "
                  "dns_events.flush_interval, ip_events.buffer_size, ip_events.flush_interval, "
                  "http_events.buffer_size, http_events.flush_interval",
                  "data.dir: /run/nfr/data dies with a reboot, and the positions in it; choose a "
                  "folder on disk such as /var/lib/nightjar",
                  "data.file: /run/nfr.data dies with a reboot, and the positions in it; choose a "
                  "folder on disk such as /var/lib/nightjar"));
}

TEST(ConfigTest, EveryKeyOfOursReachesItsField) {
  const auto config = Load(absl::StrCat(kFolder, "full.yml"), kAll);
  ASSERT_OK(config);
  EXPECT_EQ(config->engine.hosts.size(), 2u);
  EXPECT_TRUE(config->engine.allow_plaintext);
  EXPECT_TRUE(config->elastic.allow_plaintext);
  EXPECT_EQ(config->engine.kind, EngineKind::kNightjar);
  EXPECT_THAT(config->engine.analyze,
              ElementsAre(Pair(EventType::kDns, true), Pair(EventType::kIp, false)));
  EXPECT_EQ(config->elastic.ca_fingerprint.substr(0, 6), "aabbcc");
  const SearchConfig& search = config->elastic.searches[0];
  EXPECT_EQ(search.line, 24);
  EXPECT_THAT(search.field_names,
              ElementsAre(Pair("status_code", "http.status"), Pair("url", "url.full")));
  EXPECT_EQ(search.search_term, R"({"term": {"event.dataset": "http"}})");
  EXPECT_EQ(config->reader.poll_interval, absl::Milliseconds(500));
  EXPECT_EQ(config->reader.max_docs_per_second, 50000u);
  EXPECT_EQ(config->reader.fetch_bytes_max, 32u << 20);
  EXPECT_EQ(config->flows.emit, FlowsConfig::Emit::kFinalAndLong);
  EXPECT_THAT(config->privacy.secret_parameters, ElementsAre("key", "pin"));
  EXPECT_EQ(config->scoring.lists[0].points, 90u);
  EXPECT_EQ(config->scoring.lists[1].points, 60u);
  EXPECT_EQ(config->forwarder.body_bytes_max, 1'000'000u);
  EXPECT_EQ(config->forwarder.gzip, false);
  EXPECT_THAT(config->services.ae_forwarder.addresses,
              ElementsAre("forwarder-0:7403", "forwarder-1:7403"));
  EXPECT_THAT(config->security.plaintext_networks, ElementsAre("10.0.0.0/8"));
  EXPECT_EQ(config->outputs.graylog_level, 3);
  EXPECT_EQ(config->log.level, "debug");
  const ApiKeyConfig& key = config->analytics_engine.api_keys[0];
  EXPECT_EQ(key.name, "pipeline");
  EXPECT_EQ(key.key.reveal(), "canary-of-the-pipeline-2026");
  EXPECT_THAT(key.scopes, ElementsAre("ingest", "alerts"));
  EXPECT_THAT(config->analytics_engine.api_keys[1].scopes, ElementsAre("ingest"));
}

TEST(ConfigTest, SeveralAddressesFitIntoOneVariable) {
  setenv("NIGHTJAR_TEST_ADDRESSES", "ae-forwarder-0:7403,ae-forwarder-1:7403", 1);
  const Config config =
      MustLoad("services: {ae_forwarder: {address: '${env:NIGHTJAR_TEST_ADDRESSES}'}}");
  EXPECT_THAT(config.services.ae_forwarder.addresses,
              ElementsAre("ae-forwarder-0:7403", "ae-forwarder-1:7403"));
}

TEST(ConfigTest, AnAddressWithoutAValueIsTheDefault) {
  const Config config = MustLoad("services: {scorer: {address: }}");
  EXPECT_EQ(config.services.scorer.addresses, Config().services.scorer.addresses);
}

TEST(ConfigTest, AnEmptyFileIsAllDefaults) {
  const Config config = MustLoad("");
  EXPECT_FALSE(config.elastic.enabled);
  EXPECT_EQ(config.data.dir, "/var/lib/nightjar");
  EXPECT_EQ(config.forwarder.gzip, std::nullopt);
  EXPECT_THAT(config.services.scorer.addresses, ElementsAre("127.0.0.1:7402"));
}

TEST(ConfigTest, HostLocalIsTheEngineOfThisHost) {
  const Config config = MustLoad("engine: {host: local}\nanalytics_engine: {listen: '[::1]:99'}\n");
  EXPECT_TRUE(config.engine.local);
  EXPECT_EQ(config.engine.alerts_poll_interval, absl::Seconds(5));
  EXPECT_EQ(config.engine.kind, EngineKind::kNightjar);
  EXPECT_THAT(config.engine.hosts, ElementsAre("http://[::1]:99"));
  EXPECT_THAT(config.warnings, IsEmpty());
}

// What is wrong with a file, and what is said about it.
struct BadFile {
  std::string text;
  std::string message;
};

std::string Elastic(absl::string_view line) {
  return absl::StrCat("inputs:\n  elastic:\n    ", line, "\n");
}

std::string Search(absl::string_view line) {
  return absl::StrCat(kElasticOn, "        ", line, "\n");
}

std::string ApiKey(absl::string_view line) {
  return absl::StrCat("analytics_engine:\n  api_keys:\n    - {", line, "}\n");
}

const BadFile kBadFiles[] = {
    {"engin: {}", "1: engin: unknown key (did you mean \"engine\"?)"},
    {"log: {colour: red}", "1: log.colour: unknown key (known here: file, level)"},
    {"sinks: {mine: 1}", "1: sinks.mine: unknown key (no key is known here)"},
    {"engine: 5", "1: engine: must be a map of keys and values"},
    {"log: {level: [info]}", "1: log.level: must be a single value"},
    {"log: {level: loud}", "1: log.level: \"loud\" is not one of: debug, info, warn, error"},
    {"engine: {host: api.example.com}",
     "1: engine.host: \"api.example.com\" must start with https:// or http://; or local"},
    {"engine: {host: 'https://a:b@c'}",
     "1: engine.host: a name or password in the URL is not allowed; there are keys for them; "
     "or local"},
    {"engine: {host: 'https://x:99999'}",
     "1: engine.host: port \"99999\" is not a number from 0 to 65535; or local"},
    {"engine: {host: ['https://a', 'http://b:7480']}",
     "1: engine.host: \"http://b:7480\" would carry secrets and telemetry unencrypted: write "
     "https://, or set allow_plaintext: true beside it where the network itself is private"},
    {"engine: {host: 'http://127.example.com'}",
     "1: engine.host: \"http://127.example.com\" would carry secrets and telemetry unencrypted: "
     "write https://, or set allow_plaintext: true beside it where the network itself is private"},
    {"security: {certificate_file: c}\nengine: {host: local}\n"
     "analytics_engine: {listen: '0.0.0.0:7480'}",
     "2: engine: host: local wants analytics_engine.listen on loopback, not 0.0.0.0:7480; write "
     "host: https://NAME:PORT with ca_file and api_key instead"},
    {"engine: {host: 'https://a/?key=canary'}",
     "1: engine.host: \"https://a/...\" must end before ? and #; or local"},
    {"engine: {host: 'https://name:can/ary@a'}",
     "1: engine.host: a name or password in the URL is not allowed; there are keys for them; "
     "or local"},
    {"engine: {proxy: 'http://name:canary'}",
     "1: engine.proxy: is not http://host:port, or http://name:password@host:port"},
    {"engine: {host: local, kind: alphasoc}",
     "1: engine.kind: must be nightjar, since engine.host is local"},
    {"engine:\n  alerts: {poll_interval: 2s}",
     "2: engine.alerts.poll_interval: \"2s\" is out of range (5s to 24h)"},
    {"engine: {analyze: {dns: 2}}", "1: engine.analyze.dns: \"2\" is neither true nor false"},
    {"engine: {proxy: 'ftp://p'}", "1: engine.proxy: must start with http:// or https://"},
    {"reader:\n  poll_interval: abc",
     "2: reader.poll_interval: \"abc\" is not a duration (example: 30s)"},
    {"reader: {start: yesterday}",
     "1: reader.start: must be earliest, latest, a duration back (24h) or a time "
     "(2026-01-31T00:00:00Z)"},
    {"reader: {searches_in_flight_max: 17}",
     "1: reader.searches_in_flight_max: \"17\" is out of range (1 to 16)"},
    {"reader: {fetch_bytes_max: lots}",
     "1: reader.fetch_bytes_max: \"lots\" is not a size (example: 64MiB)"},
    {"forwarder: {body_bytes_max: 1GiB}",
     "1: forwarder.body_bytes_max: \"1GiB\" is out of range (65536 to 8388608 bytes)"},
    {"services: {scorer: {address: scorer}}",
     "1: services.scorer.address: \"scorer\" has no port (example: 127.0.0.1:7480)"},
    {"services: {scorer: {address: ['a:1', 'b:0']}}",
     "1: services.scorer.address: port 0 cannot be connected to"},
    {"scoring: {lists: {a: b}}", "1: scoring.lists: must be a list"},
    {"scoring: {lists: [{file: f}]}",
     "1: scoring.lists[0]: name must be set: 1 to 64 of lower case letters, digits, _ and -"},
    {"scoring: {lists: [{name: a}]}", "1: scoring.lists[0]: file must name a file"},
    {"scoring:\n  lists:\n    - {name: a, file: f}\n    - {name: a, file: g}",
     "4: scoring.lists[1].name: is the name of an earlier list"},
    {"scoring: {lists: [{name: a, file: f, points: 0}]}",
     "1: scoring.lists[0].points: \"0\" is out of range (1 to 100)"},
    {"outputs: {enabled: false}",
     "1: inputs or outputs must be on: enable inputs.elastic or outputs"},
    {"outputs: {syslog: {port: 0}}", "1: outputs.syslog.port: \"0\" is out of range (1 to 65535)"},
    {"outputs: {syslog: {port: x}}", "1: outputs.syslog.port: \"x\" is not a whole number"},
    {"outputs: {graylog: {uri: 'tcp://g'}}",
     "1: outputs.graylog.uri: \"g\" has no port (example: 127.0.0.1:7480)"},
    {"outputs: {graylog: {level: 8}}", "1: outputs.graylog.level: \"8\" is out of range (0 to 7)"},
    {"dns_events: {buffer_size: 63}",
     "1: dns_events.buffer_size: \"63\" is out of range (64 to 2147483647)"},
    {"ip_events: {flush_interval: 4s}",
     "1: ip_events.flush_interval: \"4s\" is out of range (5s to 8760h)"},
    {"http_events: {failed: {file: x}}",
     "1: http_events.failed: unknown key (known here: buffer_size, flush_interval)"},
    {"data: {dir: ''}", "1: data.dir: must name a folder"},
    {ApiKey("key: k, scopes: [ingest]"),
     "3: analytics_engine.api_keys[0]: name must be set: 1 to 64 of lower case letters, digits, _ "
     "and -"},
    {ApiKey("name: Pipe, key: k, scopes: [ingest]"),
     "3: analytics_engine.api_keys[0].name: must be set: 1 to 64 of lower case letters, digits, _ "
     "and -"},
    {ApiKey("name: a, scopes: [ingest]"),
     "3: analytics_engine.api_keys[0]: key must be set, best as ${file:/path}"},
    {ApiKey("name: a, key: k"),
     "3: analytics_engine.api_keys[0]: scopes must be set: ingest, alerts or admin"},
    {ApiKey("name: a, key: k, scopes: [ingest, root]"),
     "3: analytics_engine.api_keys[0].scopes: \"root\" is not one of: ingest, alerts, admin"},
    {ApiKey("name: a, key: k, scopes: [ingest]}\n    - {name: a, key: l, scopes: [alerts]"),
     "4: analytics_engine.api_keys[1].name: is the name of an earlier key"},
    {ApiKey("name: a, key: k, scopes: [ingest], expires: 90d"),
     "3: analytics_engine.api_keys[0].expires: unknown key (known here: name, scopes, key)"},
    {"inputs:\n  sniffer:\n    enabled: true",
     "2: inputs.sniffer: is not supported; enable inputs.elastic instead"},
    {"inputs:\n  monitor:\n    - {format: bro, file: f}",
     "2: inputs.monitor: is not supported; enable inputs.elastic instead"},
    {"inputs: {elastic: {enabled: true}}",
     "1: inputs.elastic: hosts must be set, or cloud_id (example: hosts: "
     "[http://localhost:9200])"},
    {Elastic("cloud_id: a:b\n    hosts: http://h"),
     "3: inputs.elastic.cloud_id: stands beside hosts; only one of them can be set"},
    {Elastic("api_key: k\n    username: u\n    password: p"),
     "3: inputs.elastic.api_key: stands beside username or password; only one way can be set"},
    {Elastic("username: u"), "3: inputs.elastic.username: needs username and password together"},
    {Elastic("hosts: localhost:9200"),
     "3: inputs.elastic.hosts: \"localhost:9200\" must start with http:// or https://"},
    {Elastic("ca_fingerprint: 12"),
     "3: inputs.elastic.ca_fingerprint: must be a SHA-256 in hex: 64 digits, colons allowed"},
    {Elastic("hots: http://h"), "3: inputs.elastic.hots: unknown key (did you mean \"hosts\"?)"},
    {Elastic("hosts: http://h\n    enabled: true"),
     "3: inputs.elastic.hosts: \"http://h\" would carry secrets and telemetry unencrypted: write "
     "https://, or set allow_plaintext: true beside it where the network itself is private"},
    {Elastic("hosts: https://h\n    enabled: true"),
     "2: inputs.elastic: searches needs at least one search with at least one index"},
    {Elastic("hosts: https://h\n    enabled: true\n    searches: [{event_type: dns}]"),
     "5: inputs.elastic.searches[0]: indices must name at least one index"},
    {Elastic("searches: [{indices: a}]"),
     "3: inputs.elastic.searches[0]: event_type must be set: dns, ip, http or tls"},
    {Elastic("searches: [{event_type: dns, indices: ['a b']}]"),
     "3: inputs.elastic.searches[0].indices: \"a b\" is not an index pattern (example: "
     "packetbeat-*)"},
    {Elastic("searches: [{event_type: dns, indices: [a, ]}, 5]"),
     "3: inputs.elastic.searches[1]: must be a map of keys and values"},
    {Elastic("searches: [{event_type: dns, indices: [" + std::string(4096, 'a') + "]}]"),
     "3: inputs.elastic.searches: index patterns are 4097 bytes long together, 4096 are "
     "allowed; use wildcards"},
    {Search("search_term: '{\"term\": '"),
     "8: inputs.elastic.searches[0].search_term: not valid JSON (example: '{\"term\": "
     "{\"event.dataset\": \"dns\"}}')"},
    {Search("search_term: '[]'"),
     "8: inputs.elastic.searches[0].search_term: not an object (example: '{\"term\": "
     "{\"event.dataset\": \"dns\"}}')"},
    {Search("index_schema: zeek"),
     "8: inputs.elastic.searches[0].index_schema: \"zeek\" is not one of: ecs, corelight"},
    {Search("poll_interval: often"),
     "8: inputs.elastic.searches[0].poll_interval: \"often\" is not a duration (example: 30s)"},
    {Search("batch_size: 0"),
     "8: inputs.elastic.searches[0].batch_size: \"0\" is out of range (1 to 2147483647)"},
    {Search("field_names: {quer: q}"),
     "8: inputs.elastic.searches[0].field_names.quer: unknown key (did you mean \"query\"?)"},
    {Search("field_names: {dest_ip: d}"),
     "8: inputs.elastic.searches[0].field_names.dest_ip: unknown key (known here: "
     "timestamp, event_ingested, src_ip, src_port, query, qtype)"},
};

TEST(ConfigTest, WrongFilesAreRefusedWithPlaceAndReason) {
  for (const BadFile& file : kBadFiles) {
    const auto config = LoadText(file.text, "config.yml", kAll);
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, "config.yml:" + file.message))
        << file.text;
    EXPECT_EQ(ExitStatus(config.status()), kExitConfig) << file.text;
  }
}

TEST(ConfigTest, BothNamesOfTheHttpStatusTogetherAreRefused) {
  EXPECT_THAT(LoadText("inputs:\n  elastic:\n    searches:\n      - event_type: http\n"
                       "        field_names: {status: a, status_code: b}\n",
                       "config.yml", kAll),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "config.yml:5: inputs.elastic.searches[0].field_names: has both status and "
                       "status_code, which mean the same"));
}

TEST(ConfigTest, OtherInputsBesideElasticsearchAreOnlyWarnedAbout) {
  const Config config = MustLoad(absl::StrCat(
      kElasticOn, "  sniffer: {enabled: true, interface: eth0}\n  monitor: [{format: bro}]\n"));
  EXPECT_THAT(config.warnings,
              Contains("inputs.sniffer: is not supported and not read; inputs.elastic is"));
  EXPECT_THAT(config.warnings,
              Contains("inputs.monitor: is not supported and not read; inputs.elastic is"));
}

TEST(ConfigTest, WhatLeavesTheHostUnprotectedIsWarnedAbout) {
  const Config config = MustLoad(
      "engine: {host: 'http://engine.example.com', allow_plaintext: true, api_key: k,\n"
      "  insecure_skip_verify: true}\n");
  EXPECT_THAT(config.warnings,
              ElementsAre("engine: http://engine.example.com is not encrypted (allow_plaintext)",
                          "engine.insecure_skip_verify: anybody on the way can pose as the "
                          "server; set ca_file instead"));
}

TEST(ConfigTest, PlainTextOffTheHostIsPossibleWhereItIsSaid) {
  const Config config =
      MustLoad(absl::StrReplaceAll(kElasticOn,
                                   {{"localhost", "es.example.com"},
                                    {"enabled: true", "enabled: true\n    allow_plaintext: yes"}}),
               kElastic);
  EXPECT_THAT(config.elastic.hosts, ElementsAre("http://es.example.com:9200"));
  EXPECT_THAT(config.warnings, ElementsAre("inputs.elastic: http://es.example.com:9200 is not "
                                           "encrypted (allow_plaintext)"));
}

TEST(ConfigTest, AMissingEngineKeyIsWarnedAbout) {
  EXPECT_THAT(MustLoad("").warnings, ElementsAre(HasSubstr("engine.api_key: is not set")));
  EXPECT_THAT(MustLoad("", kElastic).warnings, IsEmpty());
}

TEST(ConfigTest, EveryBinaryKnowsTheEnginesKind) {
  setenv("NIGHTJAR_ENGINE", "local", 1);
  EXPECT_EQ(MustLoad("engine: {host: '${env:NIGHTJAR_ENGINE}'}\n", 0).engine.kind,
            EngineKind::kNightjar);
}

TEST(ConfigTest, DumpHidesSecretsAndLoadsAgain) {
  for (const char* name : {"nfr.yml", "full.yml"}) {
    const auto config = Load(absl::StrCat(kFolder, name), kAll);
    ASSERT_OK(config);
    const std::string dump = Dump(*config);
    EXPECT_THAT(dump, Not(HasSubstr("canary")));
    EXPECT_THAT(dump, Not(HasSubstr("changeme")));
    EXPECT_THAT(dump, HasSubstr("api_key: \"********\""));
    const auto again = LoadText(dump, "dump.yml", kAll);
    ASSERT_OK(again);
    EXPECT_EQ(Dump(*again), dump);
  }
}

TEST(ConfigTest, DumpKeepsOddTexts) {
  const Config config = MustLoad("reader: {site: \"a\\\"b\\\\c\\n\\x01\\u00e9: #\"}\n");
  EXPECT_EQ(MustLoad(Dump(config)).reader.site, config.reader.site);
  EXPECT_EQ(config.reader.site, "a\"b\\c\n\x01\xc3\xa9: #");
}

}  // namespace
}  // namespace nightjar::config
