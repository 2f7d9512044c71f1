#include "services/analytics_engine/engine_testing.h"

#include <cstdlib>
#include <fstream>

#include "services/common/status/check.h"

namespace nightjar::analytics_engine {
namespace {

EngineConfig TestConfig(const std::string& certificate, const std::string& key) {
  const char* const base = std::getenv("TEST_TMPDIR");
  std::string folder = std::string(base == nullptr ? "/tmp" : base) + "/engine_XXXXXX";
  CHECK(mkdtemp(folder.data()) != nullptr);
  EngineConfig config;
  config.folder = folder;
  config.database = folder + "/engine.db";
  config.api = {{"127.0.0.1", 0}, certificate, key};
  config.lists = {{"c2", folder + "/c2.txt"}};
  std::ofstream(config.lists[0].path) << "evil.example\n*.evil.example\n";
  return config;
}

}  // namespace

TestEngine::TestEngine(const std::string& certificate, const std::string& key)
    : ledger_(metrics_, "analytics-engine"), monitor_("analytics-engine", ledger_, SystemClock()) {
  auto engine =
      Engine::Open(TestConfig(certificate, key), {metrics_, ledger_, monitor_, SystemClock()});
  CHECK(engine.ok());
  engine_ = *std::move(engine);
  const auto address = engine_->StartApi();
  CHECK(address.ok());
  address_ = *address;
}

std::string TestEngine::CreateKey(uint32_t scopes) {
  config::Secret text;
  CHECK(engine_->keys().Create(scopes, "test", absl::ZeroDuration(), &text).ok());
  return text.reveal();
}

}  // namespace nightjar::analytics_engine
