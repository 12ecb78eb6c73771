// The conformance corpus of Delta tables: its cases, and rows in its canonical form. For tests; one
// thread.
#pragma once

#include <arrow/record_batch.h>

#include <nlohmann/json.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/storage.h"

namespace sluice::delta {

using Json = nlohmann::json;

/// One line of JSON per row; the columns `rendered` as Spark's to_json writes them.
void AppendCanonicalRows(const arrow::RecordBatch& rows, const std::set<std::string>& rendered,
                         std::vector<std::string>* lines);
/// The lines of an expected file in the same form, sorted.
std::vector<std::string> ExpectedRows(const std::string& text, const arrow::Schema& schema,
                                      const std::set<std::string>& rendered);
/// Where two sorted lists differ first; nothing when they are equal.
std::optional<std::string> Difference(const std::vector<std::string>& rows,
                                      const std::vector<std::string>& expected);

class Corpus {
 public:
  /// `storage` outlives this. Empty when there is no corpus at `root`.
  Corpus(storage::Storage& storage, std::string root);

  bool empty() const { return names_.empty(); }
  const std::vector<std::string>& names() const { return names_; }
  Json Case(const std::string& name) const;
  std::string Text(const std::string& name, const std::string& file) const;
  std::string TablePath(const std::string& name) const { return root_ + "/" + name + "/delta"; }
  std::string FolderOf(const std::string& name) const { return root_ + "/" + name; }
  /// Puts the table's path where the log of a case holds a placeholder.
  void PlaceRoot(const std::string& name);
  static bool ReplaceRoot(const std::string& table, std::string* text);

 private:
  storage::Storage& storage_;
  const std::string root_;
  std::vector<std::string> names_;
};

}  // namespace sluice::delta
