// Precompiled by sluice_base and reused by every target: the headers that nearly all files include.
#pragma once

#include <arrow/api.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>
