#include "services/es_reader/schema/packetbeat.h"

#include <string>

#include "services/es_reader/schema/body.h"
#include "services/es_reader/schema/field_reader.h"

namespace nightjar::es_reader {
namespace {

using telemetry::v1::Event;

// Longer names of unknown kinds are cut: they only describe what is filtered.
constexpr size_t kDatasetBytesMax = 100;

// The parts that events of a kind are made of, besides kKind and kTimes; kNoSection ends the list.
struct Parts {
  Section sections[4];
};
Parts PartsOf(EventKind kind) {
  switch (kind) {
    case EventKind::kDns:
      return {{kSource, kDestination, kNetwork, kDns}};
    case EventKind::kFlow:
      return {{kSource, kDestination, kNetwork, kFlow}};
    case EventKind::kHttp:
      return {{kSource, kDestination, kNetwork, kHttp}};
    case EventKind::kTls:
      return {{kSource, kDestination, kNetwork, kTls}};
    case EventKind::kIcmp:
      return {{kSource, kDestination, kNetwork, kIcmp}};
    case EventKind::kLease:
      return {{kSource, kDestination, kNetwork, kLease}};
    case EventKind::kOther:
      break;
  }
  return {};
}

// The first fault in a part that matters, if any.
Fault RelevantFault(EventKind kind, const SourceFields& fields) {
  if (kind == EventKind::kOther) {
    // A document of a kind of its own may use our field names as it likes. One that does not say
    // what it is may be ours with the telling part broken.
    if (fields.has(kDataset) || fields.has(kType)) return {};
    for (int section = kKind; section < kSectionCount; ++section) {
      const Fault& fault = fields.fault(static_cast<Section>(section));
      if (!fault.ok()) return fault;
    }
    return {};
  }
  for (Section section : {kKind, kTimes}) {
    if (fields.has_fault(section)) return fields.fault(section);
  }
  for (Section section : PartsOf(kind).sections) {
    if (fields.has_fault(section)) return fields.fault(section);
  }
  return {};
}

void FillOther(const SourceFields& fields, Event* event) {
  absl::string_view dataset = fields.text(fields.has(kDataset) ? kDataset : kType);
  if (dataset.empty()) dataset = "unknown";
  event->mutable_other()->set_dataset(std::string(dataset.substr(0, kDatasetBytesMax)));
}

// What all kinds have in common.
void FillHeader(FieldReader& reader, Event* event) {
  // An answer whose question was missed has no start, an old document may lack @timestamp.
  event->set_time_unix_nano(reader.Time({kTimestamp, kEventStart, kEventEnd}));
  const SourceFields& fields = reader.fields();
  if (!fields.has(kTimestamp) && !fields.has(kEventStart) && !fields.has(kEventEnd)) {
    reader.Fail("missing_time", "no @timestamp, event.start or event.end");
  }
  event->set_sensor_id(reader.Text({kAgentId, kHostName, kObserverName}));
  event->set_source_ip(reader.Ip(kSourceIp));
  event->set_source_port(reader.Number(kSourcePort, 65535));
  if (fields.has(kSourceMac)) event->set_source_mac(reader.Mac(kSourceMac));
  if (fields.has(kSourceDomain)) event->set_source_host(reader.Text({kSourceDomain}));
  if (fields.has(kSourceUser)) event->set_source_user(reader.Text({kSourceUser}));
  event->set_destination_ip(reader.Ip(kDestinationIp));
  event->set_destination_port(reader.Number(kDestinationPort, 65535));
  event->set_community_id(reader.Text({kCommunityId}));
  if (fields.has(kFlowId)) event->set_flow_id(reader.Text({kFlowId}));
  if (const auto duration = reader.Count(kEventDuration)) event->set_duration_nano(*duration);
}

void FillBody(EventKind kind, FieldReader& reader, const Redactor* redactor, Event* event) {
  switch (kind) {
    case EventKind::kDns:
      return FillDns(reader, event);
    case EventKind::kFlow:
      return FillFlow(reader, event);
    case EventKind::kHttp:
      return FillHttp(reader, redactor, event);
    case EventKind::kTls:
      return FillTls(reader, event);
    case EventKind::kIcmp:
      return FillIcmp(reader, event);
    case EventKind::kLease:
      return FillLease(reader, event);
    case EventKind::kOther:
      return;
  }
}

}  // namespace

void SetKind(EventKind kind, Event* event) {
  switch (kind) {
    case EventKind::kDns:
      event->mutable_dns();
      return;
    case EventKind::kFlow:
      event->mutable_ip();
      return;
    case EventKind::kHttp:
      event->mutable_http();
      return;
    case EventKind::kTls:
      event->mutable_tls();
      return;
    case EventKind::kIcmp:
      event->mutable_icmp();
      return;
    case EventKind::kLease:
      event->mutable_lease();
      return;
    case EventKind::kOther:
      event->mutable_other();
      return;
  }
}

Fault FillEvent(EventKind kind, const SourceFields& fields, const Redactor* redactor,
                Event* event) {
  SetKind(kind, event);
  if (Fault fault = RelevantFault(kind, fields); !fault.ok()) return fault;
  FieldReader reader(fields);
  if (kind == EventKind::kOther) {
    FillOther(fields, event);
    // Kept only to be counted: whatever time it has will do.
    event->set_time_unix_nano(reader.Time({kTimestamp}));
    return {};
  }
  FillHeader(reader, event);
  FillBody(kind, reader, redactor, event);
  // A flow without addresses (ARP) is known to exist; any other event without a source is unusable.
  const bool needs_source = kind != EventKind::kFlow && kind != EventKind::kLease;
  if (needs_source && event->source_ip().empty()) reader.Fail("missing_ip", "no source.ip");
  return reader.fault();
}

}  // namespace nightjar::es_reader
