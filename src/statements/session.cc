#include "statements/session.h"

namespace sluice::statements {

void Session::Reset(const std::string& key) {
  const auto given = given_.configuration.find(key);
  if (given == given_.configuration.end()) {
    spec_.configuration.erase(key);
  } else {
    spec_.configuration[key] = given->second;
  }
}

}  // namespace sluice::statements
