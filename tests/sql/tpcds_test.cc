// The queries of TPC-DS bind against its tables, and run over tables without rows.
#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sql/execution/relations_for_test.h"
#include "sql/parser/pipeline_parser.h"

namespace sluice::sql {
namespace {

ParsedFile Parsed(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  auto parsed =
      ParseStatements(std::make_shared<const SourceText>(path.filename().string(), text.str()));
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
  return parsed.ok() ? *std::move(parsed) : ParsedFile();
}

std::shared_ptr<arrow::Table> NoRows(const CreateTable& table) {
  arrow::FieldVector fields;
  for (const ColumnDefinition& column : table.options.columns)
    fields.push_back(arrow::field(column.name.text, column.type->type));
  return *arrow::Table::MakeEmpty(arrow::schema(std::move(fields)));
}

TEST(TpcDs, EveryQueryRuns) {
  const char* root = std::getenv("SLUICE_SOURCE_DIR");
  ASSERT_NE(root, nullptr);
  const std::filesystem::path folder = std::filesystem::path(root) / "tests/sql/tpcds";
  TestRelations relations;
  int tables = 0;
  for (const Statement& statement : Parsed(folder / "tables.sql").statements) {
    const auto* table = statement.As<CreateTable>();
    ASSERT_NE(table, nullptr);
    relations.Add(table->name.last(), NoRows(*table));
    ++tables;
  }
  EXPECT_EQ(tables, 24);
  const auto runner = QueryRunner::Make();
  int queries = 0;
  for (const char* name : {"q01_25.sql", "q26_50.sql", "q51_75.sql", "q76_99.sql"}) {
    const ParsedFile file = Parsed(folder / name);
    for (const Statement& statement : file.statements) {
      const auto* query = statement.As<QueryStatement>();
      ASSERT_NE(query, nullptr);
      ++queries;
      const std::string place = file.source->Place(statement.span);
      const auto plan = Analyzer(relations, *file.source).AnalyzeQuery(*query->query);
      EXPECT_TRUE(plan.ok()) << place << "\n" << plan.status().ToString();
      if (!plan.ok()) continue;
      const auto rows = runner->RunToTable(*plan, relations.Opener(), 0);
      // Query 90 divides by a count, which is 0 here.
      EXPECT_TRUE(rows.ok() || HasCode(rows.status(), "DIVIDE_BY_ZERO"))
          << place << "\n"
          << rows.status().ToString();
    }
  }
  // 99, of which four are two queries.
  EXPECT_EQ(queries, 103);
}

}  // namespace
}  // namespace sluice::sql
