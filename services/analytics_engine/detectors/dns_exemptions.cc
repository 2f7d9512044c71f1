#include "services/analytics_engine/detectors/dns_exemptions.h"

#include "absl/container/flat_hash_set.h"

namespace nightjar::analytics_engine {

bool IsExemptFromTunnels(absl::string_view registrable) {
  static const auto* domains = new absl::flat_hash_set<absl::string_view>{
      // Block and allow lists of mail.
      "abuseat.org", "barracudacentral.org", "dnswl.org", "hostkarma.org", "junkemailfilter.com",
      "mailspike.net", "senderbase.org", "senderscore.com", "sorbs.net", "spamcop.net",
      "spamhaus.net", "spamhaus.org", "surbl.org", "uceprotect.net", "uribl.com",
      // Look-ups of addresses and of files by hash.
      "cymru.com",
      // Antivirus.
      "avast.com", "avg.com", "bitdefender.net", "e5.sk", "eset.com", "mcafee.com", "sophosxl.com",
      "sophosxl.net", "trendmicro.com", "webrootcloudav.com"};
  return domains->contains(registrable);
}

}  // namespace nightjar::analytics_engine
