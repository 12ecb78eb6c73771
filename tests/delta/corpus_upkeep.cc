#include <regex>

#include "corpus_statement.h"
#include "delta/commands/restore.h"
#include "delta/upkeep/clustering.h"
#include "delta/upkeep/compaction.h"

namespace sluice::delta {
namespace {

/// "a,b.c" -> the paths.
std::vector<ColumnPath> PathsOf(const std::string& list) {
  std::vector<ColumnPath> paths(1);
  std::string name;
  for (const char c : list + ",") {
    if (c != '.' && c != ',') {
      name += c;
      continue;
    }
    paths.back().push_back(std::exchange(name, {}));
    if (c == ',') paths.emplace_back();
  }
  paths.pop_back();
  return paths;
}

Status RunOptimize(const std::string& sql, Table& table, plan::TableExpressions& expressions) {
  static const std::regex kForm(R"(OPTIMIZE \{t\}(?: WHERE (.*?))?(?: ZORDER BY \((.*)\))?)");
  std::smatch match;
  SLUICE_CHECK(std::regex_match(sql, match, kForm), sql);
  CompactionOptions options;
  options.kind = CompactionKind::kOptimize;
  options.predicate_text = match[1].str();
  if (!options.predicate_text.empty()) {
    SLUICE_ASSIGN_OR_RETURN(
        const auto where,
        expressions.CompileCondition(options.predicate_text, table.Current()->schema()));
    options.predicate = where.prunes;
  }
  if (match[2].matched) options.z_order_by = PathsOf(match[2].str());
  return Compact(table, options).status();
}

Status RunClusterBy(const std::string& sql, Table& table) {
  static const std::regex kForm(R"(ALTER TABLE \{t\} CLUSTER BY (?:NONE|\((.*)\)))");
  std::smatch match;
  SLUICE_CHECK(std::regex_match(sql, match, kForm), sql);
  const auto columns = match[1].matched ? PathsOf(match[1].str()) : std::vector<ColumnPath>();
  return SetClustering(table, columns).status();
}

}  // namespace

std::optional<Status> RunCorpusUpkeep(const Json& operation, Table& table,
                                      plan::TableExpressions& expressions) {
  const std::string kind = operation["kind"];
  const std::string sql = operation.value("sql", "");
  if (kind == "checkpoint") return table.Checkpoint();
  if (kind == "optimize" || kind == "zorder") return RunOptimize(sql, table, expressions);
  if (kind == "alter-cluster-by") return RunClusterBy(sql, table);
  if (kind == "restore") {
    const int64_t version = std::stoll(sql.substr(sql.rfind(' ')));
    return RestoreTable(table, {TableVersion(version), std::nullopt}).status();
  }
  if (kind == "optimize-purge") {
    CompactionOptions options;
    options.kind = CompactionKind::kPurge;
    return Compact(table, options).status();
  }
  return std::nullopt;
}

}  // namespace sluice::delta
