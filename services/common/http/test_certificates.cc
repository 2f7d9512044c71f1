#include "services/common/http/test_certificates.h"

#include <stdlib.h>

#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"

namespace nightjar::http {
namespace {

std::string Run(const std::string& command) {
  FILE* const pipe = popen((command + " 2>/dev/null").c_str(), "r");
  CHECK(pipe != nullptr);
  std::string output;
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) output.append(buffer, got);
  CHECK(pclose(pipe) == 0);
  return output;
}

std::string NewFolder() {
  const char* const base = getenv("TEST_TMPDIR");
  std::string path = absl::StrCat(base != nullptr ? base : "/tmp", "/authority-XXXXXX");
  CHECK(mkdtemp(path.data()) != nullptr);
  return path;
}

constexpr char kNewKey[] =
    "openssl req -x509 -nodes -days 2 -newkey ec -pkeyopt "
    "ec_paramgen_curve:prime256v1";

}  // namespace

TestAuthority::TestAuthority()
    : folder_(NewFolder()),
      certificate_file_(folder_ + "/authority.pem"),
      key_file_(folder_ + "/authority.key") {
  Run(absl::StrCat(kNewKey, " -subj /CN=authority -keyout ", key_file_, " -out ",
                   certificate_file_));
}

std::string TestAuthority::fingerprint() const {
  const std::string line =
      Run(absl::StrCat("openssl x509 -noout -fingerprint -sha256 -in ", certificate_file_));
  return std::string(absl::StripAsciiWhitespace(line.substr(line.find('=') + 1)));
}

TestAuthority::Issued TestAuthority::Issue(absl::string_view subject_alt_name) const {
  static int issued = 0;
  const std::string base = absl::StrCat(folder_, "/issued-", ++issued);
  Run(absl::StrCat(kNewKey, " -subj /CN=issued -CA ", certificate_file_, " -CAkey ", key_file_,
                   " -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=",
                   subject_alt_name, " -keyout ", base, ".key -out ", base, ".pem"));
  Run(absl::StrCat("cat ", base, ".pem ", certificate_file_, " > ", base, ".chain"));
  return {base + ".chain", base + ".key"};
}

}  // namespace nightjar::http
