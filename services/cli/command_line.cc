#include "services/cli/command_line.h"

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "services/cli/account.h"
#include "services/cli/check.h"
#include "services/cli/key_texts.h"
#include "services/cli/keys.h"
#include "services/cli/stages.h"
#include "services/cli/start.h"
#include "services/cli/status.h"
#include "services/cli/tap.h"
#include "services/common/runtime/main.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"

namespace nightjar::cli {
namespace {

constexpr char kDefaultConfig[] = "/etc/nightjar/config.yml";

// What the command line sets, and what it chose to run.
struct Commands {
  std::string config;  // empty: not given
  StatusOptions status;
  std::string stage;
  admin::v1::TapRequest tap;
  uint64_t tap_count = 0;
  NewKey key{{"ingest", "alerts"}, "", ""};
  std::string key_prefix;
  std::function<int()> run;

  std::string config_or_default() const { return config.empty() ? kDefaultConfig : config; }
};

// For commands that only look for stages: without any file, they are where they are by default.
absl::StatusOr<config::Config> LoadToConnect(const Commands& commands) {
  if (!commands.config.empty() || access(kDefaultConfig, F_OK) == 0) {
    return config::Load(commands.config_or_default(), 0);
  }
  config::Config config;
  config.elastic.enabled = true;
  return config;
}

int Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return ExitStatus(text.status());
  std::fputs(text->c_str(), stdout);
  return kExitOk;
}

// `status` with the name of whom it is about; a request that was refused is a mistake of ours.
absl::Status Of(const std::string& who, const absl::Status& status) {
  if (status.ok()) return status;
  const absl::Status named(status.code(), absl::StrCat(who, ": ", status.message()));
  return absl::IsInvalidArgument(status) ? WithExitCode(named, kExitUsage) : named;
}

int Status(const Commands& commands) {
  const auto config = LoadToConnect(commands);
  if (!config.ok()) return ExitStatus(config.status());
  return RunStatus(*config, commands.status, SystemClock());
}

// For service managers. A configuration that is refused is no reason to leave a stage out: started,
// the stage says what is wrong.
int Needs(const Commands& commands) {
  const auto config = config::Load(commands.config_or_default(), 0);
  if (!config.ok()) return kExitOk;
  const auto stage = FindStage(*config, commands.stage);
  if (!stage.ok()) return ExitStatus(stage.status());
  for (const Stage& needed : NeededStages(*config)) {
    if (needed.name == stage->name) return kExitOk;
  }
  return 1;
}

absl::Status RunTap(const Commands& commands) {
  ASSIGN_OR_RETURN(const config::Config config, LoadToConnect(commands));
  ASSIGN_OR_RETURN(const Stage stage, FindStage(config, commands.stage));
  if (stage.addresses.empty()) {
    return ConfigError(absl::StrCat("services.", stage.folder, ".address: no address"));
  }
  const std::string& address = stage.addresses.front();
  const StageClient client(address, SecurityOf(config));
  const auto print = [](const std::string& line) {
    return std::fputs(line.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  };
  return Of(absl::StrCat(stage.name, " at ", address),
            Tap(client, commands.tap, commands.tap_count, print));
}

// Calls `ask` with a client of the engine.
absl::StatusOr<std::string> AskEngine(
    const Commands& commands,
    const std::function<absl::StatusOr<std::string>(const EngineKeysClient&)>& ask) {
  ASSIGN_OR_RETURN(const config::Config config, LoadToConnect(commands));
  ASSIGN_OR_RETURN(const Stage stage, FindStage(config, "analytics-engine"));
  if (stage.addresses.size() != 1) {
    return ConfigError("services.analytics_engine.address: one address is needed");
  }
  const std::string& address = stage.addresses.front();
  auto answer = ask(EngineKeysClient(address, SecurityOf(config)));
  if (answer.ok()) return answer;
  return Of(absl::StrCat("analytics-engine at ", address), answer.status());
}

absl::StatusOr<std::string> CreateKey(const Commands& commands) {
  ASSIGN_OR_RETURN(const admin::v1::CreateKeyRequest request, ToRequest(commands.key));
  ASSIGN_OR_RETURN(std::string key, AskEngine(commands, [&request](const auto& engine) {
                     return engine.Create(request);
                   }));
  std::fputs("This is the only time that the key is shown:\n", stderr);
  return key;
}

absl::StatusOr<std::string> Account(const Commands& commands) {
  ASSIGN_OR_RETURN(const config::Config config,
                   config::Load(commands.config_or_default(), config::kEngine));
  return AccountStatus(config);
}

void AddStart(CLI::App& app, Commands& commands) {
  app.add_subcommand("start", "Run every stage that the configuration needs, on this host")
      ->callback([&commands] {
        commands.run = [&commands] { return ExitStatus(RunStart(commands.config_or_default())); };
      });
}

void AddNeeds(CLI::App& app, Commands& commands) {
  CLI::App* const needs = app.add_subcommand(
      "needs", "Exit code 1 when the configuration makes no use of a stage, else 0");
  needs->add_option("stage", commands.stage, "es-reader, scorer, ae-forwarder ...")->required();
  needs->callback([&commands] { commands.run = [&commands] { return Needs(commands); }; });
}

void AddStatus(CLI::App& app, Commands& commands) {
  CLI::App* const status = app.add_subcommand(
      "status", "State of every stage on one screen; exit code 0 when all are READY, else 1");
  status->add_flag("--json", commands.status.json, "One line of JSON");
  status->add_flag("--watch", commands.status.watch, "Again every 2 s");
  status->callback([&commands] { commands.run = [&commands] { return Status(commands); }; });
}

void AddTap(CLI::App& app, Commands& commands) {
  CLI::App* const tap =
      app.add_subcommand("tap", "Live sample of the events that pass a stage, one JSON line each");
  admin::v1::TapRequest& request = commands.tap;
  tap->add_option("stage", commands.stage, "es-reader, scorer, ae-forwarder ...")->required();
  tap->add_option_function<std::string>(
      "--type", [&request](const std::string& type) { request.set_type(type); },
      "Only dns, ip, http, tls, icmp, lease or other");
  tap->add_option_function<std::string>(
      "--ip", [&request](const std::string& ip) { request.set_ip(ip); },
      "Only with this address as source or destination");
  tap->add_option_function<uint32_t>(
         "--score", [&request](uint32_t score) { request.set_score_min(score); },
         "Only scored at least this, 0 to 100")
      ->check(CLI::Range(0, 100));
  tap->add_option_function<uint32_t>(
         "--rate", [&request](uint32_t rate) { request.set_events_per_second_max(rate); },
         "At most so many a second, 1 to 100; 10 by default")
      ->check(CLI::Range(1, 100));
  tap->add_option("--count", commands.tap_count, "End after so many; 0, the default: never");
  tap->callback(
      [&commands] { commands.run = [&commands] { return ExitStatus(RunTap(commands)); }; });
}

void AddCheck(CLI::App& app, Commands& commands) {
  CLI::App* const check = app.add_subcommand(
      "check", "Whether a configuration can be used, where events would go and what is masked");
  check->add_option("file", commands.config, "The configuration, as --config");
  check->callback([&commands] {
    commands.run = [&commands] {
      return Print(Check(commands.config_or_default(), OwnFolder(), Libexec()));
    };
  });
}

void AddKeys(CLI::App& app, Commands& commands) {
  CLI::App* const keys = app.add_subcommand("keys", "API keys of the embedded engine");
  CLI::App* const create = keys->add_subcommand("create", "Make a key and show it, once");
  create
      ->add_option("--scope", commands.key.scopes,
                   "ingest, alerts, admin; ingest,alerts by default")
      ->delimiter(',');
  create->add_option("--description", commands.key.description, "What it is for");
  create->add_option("--expires", commands.key.lifetime, "From now, e.g. 90d; never by default");
  create->callback(
      [&commands] { commands.run = [&commands] { return Print(CreateKey(commands)); }; });
  keys->add_subcommand("list", "All keys, without their texts")->callback([&commands] {
    commands.run = [&commands] {
      return Print(
          AskEngine(commands, [](const auto& engine) { return engine.List(SystemClock().Now()); }));
    };
  });
  CLI::App* const revoke = keys->add_subcommand("revoke", "End a key at once");
  revoke->add_option("key", commands.key_prefix, "As `keys list` shows it")->required();
  revoke->callback([&commands] {
    commands.run = [&commands] {
      return Print(AskEngine(
          commands, [&](const auto& engine) { return engine.Revoke(commands.key_prefix); }));
    };
  });
}

void AddAccount(CLI::App& app, Commands& commands) {
  CLI::App* const account = app.add_subcommand("account", "Our account at the engine");
  account->add_subcommand("status", "Whether the engine knows our key")->callback([&commands] {
    commands.run = [&commands] { return Print(Account(commands)); };
  });
}

void AddVersion(CLI::App& app, Commands& commands) {
  app.add_subcommand("version", "Version of this program")->callback([&commands] {
    commands.run = [] {
      return Print(absl::StrCat("nightjar version ", runtime::Version(), "\n"));
    };
  });
}

std::string Mistake(const CLI::App* app, const CLI::Error& error) {
  return absl::StrCat("error: ", error.what(), "\n\n", app->help());
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  Commands commands;
  CLI::App app("Network threat monitoring on Elasticsearch.", "nightjar");
  app.fallthrough();  // options of nightjar may stand behind the command too
  app.failure_message(Mistake);
  app.set_version_flag("--version", absl::StrCat("nightjar version ", runtime::Version()));
  app.add_option("-c,--config", commands.config,
                 absl::StrCat("Configuration file, ", kDefaultConfig, " by default"));
  AddStart(app, commands);
  AddStatus(app, commands);
  AddTap(app, commands);
  AddCheck(app, commands);
  AddNeeds(app, commands);
  AddKeys(app, commands);
  AddAccount(app, commands);
  AddVersion(app, commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;  // prints help, version or the mistake
  }
  if (commands.run) return commands.run();
  // No command, or one that wants another behind it.
  const auto chosen = app.get_subcommands();
  std::fputs((chosen.empty() ? app : *chosen.front()).help().c_str(), stderr);
  return kExitUsage;
}

}  // namespace nightjar::cli
