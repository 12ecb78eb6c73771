// The predicates a scan and a transaction's read set understand: a conjunction of `column op
// literal`. They prune files (by partition values and statistics) and never more than may be
// pruned. Thread-safe (immutable).
#pragma once

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

enum class CompareOp {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsNull,
  kIsNotNull,
  kIn
};

struct ColumnPredicate {
  std::string column;  // dotted path for a field of a struct: "a.b"
  CompareOp op = CompareOp::kEqual;
  std::shared_ptr<arrow::Scalar>
      value;  // not for kIsNull, kIsNotNull, kIn; any type castable to the column's
  std::vector<std::shared_ptr<arrow::Scalar>> in_list;  // for kIn
};

/// True when all of them hold. Empty = always true.
using Predicate = std::vector<ColumnPredicate>;

/// Decides per file whether it may hold a row for which the predicate is TRUE.
class FilePruner {
 public:
  /// Predicates that it does not understand (unknown column, literal of another kind) prune
  /// nothing.
  FilePruner(const Predicate& predicate, const arrow::Schema& schema,
             const std::vector<std::string>& partition_columns);

  bool MayMatch(const AddFile& file) const;
  /// The same by partition values alone.
  bool PartitionMayMatch(const PartitionValues& values) const;
  bool empty() const { return partition_terms_.empty() && stats_terms_.empty(); }

 private:
  struct Term {
    std::vector<std::string> path;  // physical names
    std::shared_ptr<arrow::DataType> type;
    CompareOp op;
    std::vector<std::shared_ptr<arrow::Scalar>> values;  // cast to `type`
  };
  static bool StatsMayMatch(const std::vector<Term>& terms, const std::string& stats_json);

  std::vector<Term> partition_terms_;
  std::vector<Term> stats_terms_;
};

}  // namespace sluice::delta
