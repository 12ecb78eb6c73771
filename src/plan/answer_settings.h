// Settings of Spark that say what a query answers. Those that Sluice cannot honour are refused,
// whether a project's configuration or SET names them, for they would be ignored. Pure functions.
#pragma once

#include <map>
#include <string>

#include "base/status.h"

namespace sluice::plan {

/// The value that a setting has until it is set; null when it is none of these.
const char* InitialSetting(const std::string& key);

/// INVALID_CONF_VALUE.* for what is no value of the setting, NOT_SUPPORTED_YET for one that would
/// give other answers than Sluice does. OK for a key that says nothing about answers.
Status CheckSetting(const std::string& key, const std::string& value);
Status CheckSettings(const std::map<std::string, std::string>& configuration);

}  // namespace sluice::plan
