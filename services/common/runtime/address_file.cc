#include "services/common/runtime/address_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"

namespace nightjar::runtime {

absl::Status WriteAddressFile(const std::string& path, const Addresses& addresses) {
  std::string json;
  const std::pair<const char*, const std::string&> members[] = {
      {"grpc", addresses.grpc}, {"http", addresses.http}, {"api", addresses.api}};
  for (const auto& [name, address] : members) {
    if (address.empty()) continue;
    absl::StrAppend(&json, json.empty() ? "{" : ",", "\"", name, "\":\"", address, "\"");
  }
  const std::string temporary = path + ".tmp";
  errno = 0;
  std::ofstream file(temporary, std::ios::trunc);
  file << json << "}\n";
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ConfigError(absl::StrCat("address file \"", path, "\" cannot be written: ",
                                    std::strerror(errno), "; choose another --address_file"));
  }
  return absl::OkStatus();
}

}  // namespace nightjar::runtime
