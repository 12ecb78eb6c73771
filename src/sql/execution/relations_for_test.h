// Tables of analyzer and runner tests, kept in memory. Tests only.
#pragma once

#include <arrow/api.h>

#include <map>
#include <string>

#include "sql/analysis/analyzer.h"
#include "sql/execution/query_runner.h"
#include "sql/parser/parser.h"

namespace sluice::sql {

class TestRelations : public RelationResolver {
 public:
  void Add(const std::string& name, std::shared_ptr<arrow::Schema> schema) {
    schemas_[name] = std::move(schema);
  }
  void Add(const std::string& name, std::shared_ptr<arrow::Table> table) {
    schemas_[name] = table->schema();
    tables_[name] = std::move(table);
  }

  Result<std::optional<ResolvedRelation>> ResolveRelation(const std::vector<std::string>& parts,
                                                          bool) override {
    const auto found = schemas_.find(parts.back());
    if (found == schemas_.end()) return std::optional<ResolvedRelation>();
    return std::optional<ResolvedRelation>(ResolvedRelation{found->first, found->second, nullptr});
  }
  Result<std::optional<ResolvedTableFunction>> ResolveTableFunction(
      const std::string& function, const std::map<std::string, std::string>& args, bool) override {
    if (function != "read_kafka") return std::optional<ResolvedTableFunction>();
    const auto headers = args.find("includeHeaders");
    return std::optional<ResolvedTableFunction>(ResolvedTableFunction{
        KafkaSchema(headers != args.end() && headers->second == "true"), true});
  }
  std::vector<std::string> KnownRelations() override {
    std::vector<std::string> names;
    for (const auto& [name, schema] : schemas_) names.push_back(name);
    return names;
  }

  ScanOpener Opener() {
    return [this](const LogicalPlan& scan, const std::vector<int>& columns,
                  const std::vector<SimplePredicate>& predicates)
               -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
      last_columns = columns;
      last_predicates = predicates;
      SLUICE_ASSIGN_OR_RETURN(auto picked,
                              tables_.at(As<ScanNode>(scan).dataset)->SelectColumns(columns));
      SLUICE_ASSIGN_OR_RETURN(auto batch, picked->CombineChunksToBatch());
      return arrow::RecordBatchReader::Make({batch}, picked->schema());
    };
  }

  Result<PlanPtr> Plan(const std::string& sql) {
    const SourceText source("test.sql", sql);
    SLUICE_ASSIGN_OR_RETURN(auto query, ParseQuery(source));
    return Analyzer(*this, source).AnalyzeQuery(query);
  }

  std::vector<int> last_columns;
  std::vector<SimplePredicate> last_predicates;

 private:
  std::map<std::string, std::shared_ptr<arrow::Schema>> schemas_;
  std::map<std::string, std::shared_ptr<arrow::Table>> tables_;
};

}  // namespace sluice::sql
