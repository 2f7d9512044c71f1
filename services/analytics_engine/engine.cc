#include "services/analytics_engine/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/analytics_engine/api/api_handler.h"
#include "services/analytics_engine/detectors/detectors.h"
#include "services/analytics_engine/engine_metrics.h"
#include "services/analytics_engine/ingest.h"
#include "services/analytics_engine/local_key.h"
#include "services/analytics_engine/store/alert_store.h"
#include "services/analytics_engine/store/database.h"
#include "services/common/checkpoint/folder_lock.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::analytics_engine {
namespace {

using ListSetPtr = std::shared_ptr<const signals::ListSet>;

absl::Status TakeKeys(const std::vector<ConfiguredKey>& configured, KeyStore& keys) {
  ASSIGN_OR_RETURN(const KeyStore::Changes changes, keys.SetConfigured(configured));
  for (const std::string& name : changes.taken) spdlog::info("API key config:{} taken", name);
  for (const std::string& name : changes.revoked) {
    spdlog::info("API key config:{} revoked: it is not in the configuration any more", name);
  }
  return absl::OkStatus();
}

}  // namespace

struct Engine::State {
  State(const EngineConfig& engine_config, const StageParts& stage,
        std::unique_ptr<checkpoint::FolderLock> folder_lock,
        std::unique_ptr<Database> engine_database, std::unique_ptr<AlertStore> alert_store,
        std::unique_ptr<KeyStore> key_store, ListSetPtr lists)
      : config(engine_config),
        parts(stage),
        lock(std::move(folder_lock)),
        database(std::move(engine_database)),
        alerts(std::move(alert_store)),
        keys(std::move(key_store)),
        metrics(stage.metrics),
        detectors({std::move(lists), config.bad_tlds}, stage.metrics),
        ingest({detectors, *alerts, stage.ledger, stage.monitor, metrics, stage.clock}),
        handler({ingest, *alerts, *keys, stage.monitor, metrics, stage.clock}, config.api_peers),
        api(handler) {}

  const EngineConfig config;
  const StageParts parts;
  const std::unique_ptr<checkpoint::FolderLock> lock;
  const std::unique_ptr<Database> database;
  const std::unique_ptr<AlertStore> alerts;
  const std::unique_ptr<KeyStore> keys;
  EngineMetrics metrics;
  Detectors detectors;
  Ingest ingest;
  ApiHandler handler;
  ApiServer api;
};

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(const EngineConfig& config,
                                                     const StageParts& parts) {
  ASSIGN_OR_RETURN(ListSetPtr lists, signals::ListSet::Load(config.lists));
  ASSIGN_OR_RETURN(auto lock, checkpoint::FolderLock::Acquire(config.folder));
  ASSIGN_OR_RETURN(auto database, Database::Open(config.database));
  ASSIGN_OR_RETURN(auto alerts, AlertStore::Open(*database, AlertLimits()));
  ASSIGN_OR_RETURN(auto keys, KeyStore::Open(*database, parts.clock));
  RETURN_IF_ERROR(TakeKeys(config.api_keys, *keys));
  if (!config.local_key.empty()) {
    RETURN_IF_ERROR(EnsureLocalKey(*keys, checkpoint::LocalFileSystem(), config.local_key));
  }
  return std::unique_ptr<Engine>(
      new Engine(std::make_unique<State>(config, parts, std::move(lock), std::move(database),
                                         std::move(alerts), std::move(keys), std::move(lists))));
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}

Engine::~Engine() { Shutdown(); }

absl::StatusOr<std::string> Engine::StartApi() {
  const ApiServerOptions& options = state_->config.api;
  ASSIGN_OR_RETURN(const std::string address, state_->api.Start(options));
  spdlog::info("the API is at {}://{}", options.certificate_file.empty() ? "http" : "https",
               address);
  return address;
}

void Engine::Shutdown() { state_->api.Shutdown(); }

void Engine::ReloadLists() {
  absl::StatusOr<ListSetPtr> lists = signals::ListSet::Load(state_->config.lists);
  if (!lists.ok()) {
    state_->parts.monitor.SetCondition(
        "lists", absl::StrCat("not reloaded, the ones before stay: ", lists.status().message()));
    return;
  }
  spdlog::info("lists reloaded: {} entries", (*lists)->entries());
  state_->ingest.SetLists(*std::move(lists));
  state_->parts.monitor.ClearCondition("lists");
}

absl::Status Engine::ReloadCertificate() { return state_->api.ReloadCertificate(); }

absl::Status Engine::SetApiKeys(const std::vector<ConfiguredKey>& keys) {
  return TakeKeys(keys, *state_->keys);
}

KeyStore& Engine::keys() { return *state_->keys; }

}  // namespace nightjar::analytics_engine
