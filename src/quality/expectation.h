// An expectation of a table: a condition every row should meet, and what happens with a row that
// does not.
#pragma once

#include <string>

namespace sluice::quality {

/// In rising strength: of the rules a row breaks, the strongest action applies.
enum class ViolationAction { kWarn, kDrop, kQuarantine, kFail };

struct Expectation {
  std::string name;
  std::string condition;  // its SQL text, for messages
  ViolationAction action = ViolationAction::kWarn;
  std::string quarantine_table;  // satellite table; only with kQuarantine
};

}  // namespace sluice::quality
