// How a transaction identifier is taken back.
#pragma once

#include <cstdint>

namespace sluice::delta {

/// A Txn of this version takes its identifier back, as if it had never been written: RESTORE to a
/// version before it. Other readers see a version below all.
inline constexpr int64_t kForgottenTxn = INT64_MIN;

}  // namespace sluice::delta
