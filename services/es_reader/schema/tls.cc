#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "services/es_reader/schema/body.h"

namespace nightjar::es_reader {
namespace {

// "1.2" of "1.2", "TLS 1.2" and "TLSv1.2".
std::string Version(FieldReader& reader) {
  std::string text = reader.Lower({kTlsVersion});
  absl::string_view version = text;
  if (absl::ConsumePrefix(&version, "tls") && !absl::ConsumePrefix(&version, "v")) {
    version = absl::StripLeadingAsciiWhitespace(version);
  }
  return std::string(version);
}

}  // namespace

void FillTls(FieldReader& reader, telemetry::v1::Event* event) {
  telemetry::v1::Tls* tls = event->mutable_tls();
  tls->set_certificate_sha1(reader.Lower({kCertificateSha1, kCertificateSha1Old}));
  tls->set_issuer(reader.Text({kIssuer, kIssuerX509, kIssuerOld}));
  tls->set_subject(reader.Text({kSubject, kSubjectX509, kSubjectOld}));
  tls->set_not_before_unix_nano(reader.Time({kNotBefore, kNotBeforeX509, kNotBeforeOld}));
  tls->set_not_after_unix_nano(reader.Time({kNotAfter, kNotAfterX509, kNotAfterOld}));
  tls->set_ja3(reader.Lower({kJa3, kJa3Old}));
  tls->set_ja3s(reader.Lower({kJa3s}));
  // Packetbeat copies the name to destination.domain; before 7.6 it stood nowhere else.
  tls->set_server_name(reader.Text({kServerName, kDestinationDomain}));
  tls->set_version(Version(reader));
  if (const auto resumed = reader.Bool(kTlsResumed)) tls->set_resumed(*resumed);
}

}  // namespace nightjar::es_reader
