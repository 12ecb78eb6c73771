// Names threads for top, perf and debuggers.
#pragma once

#include <pthread.h>

#include <string>

namespace sluice {

/// Names the calling thread; Linux keeps the first 15 characters.
inline void SetThreadName(const std::string& name) {
  (void)pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace sluice
