#include "base/random.h"

#include <cstdio>
#include <random>

namespace sluice {

Random Random::FromSystem() {
  std::random_device device;
  return Random((static_cast<uint64_t>(device()) << 32) | device());
}

std::string Random::Uuid() {
  const uint64_t a = Next();
  const uint64_t b = Next();
  char text[40];
  std::snprintf(text, sizeof(text), "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(a >> 32),
                static_cast<unsigned>(a >> 16 & 0xFFFF), static_cast<unsigned>(a & 0xFFF),
                static_cast<unsigned>(b >> 48 & 0x3FFF) | 0x8000U,
                static_cast<unsigned long long>(b & 0xFFFFFFFFFFFFULL));
  return text;
}

}  // namespace sluice
