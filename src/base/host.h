#pragma once

#include <string>

namespace sluice {

/// The machine's name, "unknown" when it has none.
std::string HostName();

}  // namespace sluice
