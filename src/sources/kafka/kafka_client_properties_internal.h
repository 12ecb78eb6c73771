// Properties of the Java client, as users of Spark write them behind "kafka.", in the terms of our
// client.
#pragma once

#include <map>
#include <string>

#include "base/status.h"

namespace sluice::sources {

/// `java`: names in lower case without the prefix "kafka.". KAFKA_INVALID_OPTION for what Spark
/// refuses, KAFKA_UNSUPPORTED_OPTION for what this client does not have (JKS stores, Kerberos
/// callbacks, interceptors).
Result<std::map<std::string, std::string>> TranslateClientProperties(
    const std::map<std::string, std::string>& java);

}  // namespace sluice::sources
