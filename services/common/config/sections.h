// One function for each section of config.yml: reads it out of the file's root into its struct.
#ifndef SERVICES_COMMON_CONFIG_SECTIONS_H_
#define SERVICES_COMMON_CONFIG_SECTIONS_H_

#include "services/common/config/binder.h"
#include "services/common/config/config.h"

namespace nightjar::config {

// Sections of NFR's file (nfr_sections.cc, elastic_section.cc). `resolve`: follow references.
void BindEngine(Binder* root, bool resolve, EngineConfig* out);
void BindElastic(Binder* inputs, bool resolve, ElasticConfig* out);
void BindOutputs(Binder* root, OutputsConfig* out);
void BindScope(Binder* root, ScopeConfig* out);
void BindLog(Binder* root, LogConfig* out);
void BindData(Binder* root, DataConfig* out);
void BindEventBuffers(Binder* root);  // dns_events, ip_events, http_events: nothing to set here

// inputs.sniffer and inputs.monitor, which read what Nightjar does not: the ones that are on.
std::vector<std::string> BindOtherInputs(Binder* inputs);

// Our own sections (own_sections.cc).
void BindReader(Binder* root, ReaderConfig* out);
void BindFlows(Binder* root, FlowsConfig* out);
void BindPrivacy(Binder* root, PrivacyConfig* out);
void BindScoring(Binder* root, ScoringConfig* out);
void BindForwarder(Binder* root, ForwarderConfig* out);
void BindServices(Binder* root, ServicesConfig* out);
void BindSecurity(Binder* root, SecurityConfig* out);
void BindAnalyticsEngine(Binder* root, bool resolve_keys, AnalyticsEngineConfig* out);
void BindReserved(Binder* root);  // poller, sinks, console: known names, no keys yet

}  // namespace nightjar::config

#endif  // SERVICES_COMMON_CONFIG_SECTIONS_H_
