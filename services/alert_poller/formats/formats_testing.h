// Alerts that the tests of every format share.
#ifndef SERVICES_ALERT_POLLER_FORMATS_FORMATS_TESTING_H_
#define SERVICES_ALERT_POLLER_FORMATS_FORMATS_TESTING_H_

#include <string>

#include "google/protobuf/text_format.h"
#include "proto/alerts/v1/alert.pb.h"
#include "services/common/status/check.h"

namespace nightjar::alert_poller {

inline alerts::v1::Alert AlertOf(const std::string& text) {
  alerts::v1::Alert alert;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &alert));
  return alert;
}

// All that API v1 can say of a DNS event, with two threats and one group.
inline alerts::v1::Alert DnsAlert() {
  return AlertOf(R"(
    id: "content-1" event_type: "dns"
    event { time { seconds: 1795521600 nanos: 500000000 } source_ip: "10.1.0.7" source_port: 5353
            source_host: "pc-7" query: "x.example.com" query_type: "TXT" }
    threats { id: "young_domain" title: "Young domain" severity: 2 policy: true }
    threats { id: "c2_communication" title: "C2 | communication" severity: 5 }
    wisdom { flags: "c2" flags: "young_domain" labels: "c2:TrickBot" domain: "example.com" }
    groups { label: "office" description: "The office" })");
}

// A flow without wisdom or groups.
inline alerts::v1::Alert IpAlert() {
  return AlertOf(R"(
    id: "content-2" event_type: "ip"
    event { time { seconds: 1795521600 } source_ip: "10.1.0.7" source_port: 40000
            destination_ip: "203.0.113.9" destination_port: 6667 transport: "tcp" bytes_in: 100
            bytes_out: 2000 }
    threats { id: "irc" title: "IRC" severity: 3 })");
}

// What an engine that explains itself sends.
inline alerts::v1::Alert ExplainedAlert() {
  alerts::v1::Alert alert = IpAlert();
  alert.MergeFrom(AlertOf(R"(
    id: "7b1" mitre_attack: "TA0010:T1048"
    detections { id: "port_scan" key: "a=b" severity: 4 measure: "targets" value: 30.5
                 threshold: 10
                 samples { index: "pb-1" document_id: "d1" sensor_id: "s1" site: "hq" }
                 samples { index: "pb-1" document_id: "d2" } })"));
  return alert;
}

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_FORMATS_FORMATS_TESTING_H_
