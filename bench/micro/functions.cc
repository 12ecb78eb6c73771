// What a function costs per row here and in DuckDB, one thread each, over the same values: one JSON
// line per function. `bench_functions [ROWS]` (default 1,000,000); CPU time, so that other work on
// the machine counts little.
#include <arrow/api.h>
#include <duckdb.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "sql/analysis/analyzer.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/parser.h"

namespace sluice::sql {
namespace {

struct Case {
  const char* name;
  const char* ours;
  const char* duckdb;
  const char* aggregate = "count";
};

constexpr Case kCases[] = {
    {"trim", "trim(s)", "trim(s)"},
    {"upper", "upper(s)", "upper(s)"},
    {"lower", "lower(s)", "lower(s)"},
    {"upper, a tenth not ASCII", "upper(u)", "upper(u)"},
    {"substring", "substring(s, 3, 5)", "substring(s, 3, 5)"},
    {"like", "s LIKE '%ame 1%'", "s LIKE '%ame 1%'"},
    {"rlike", "s RLIKE '[0-9]+7 '", "regexp_matches(s, '[0-9]+7 ')"},
    {"regexp_replace", "regexp_replace(s, '[0-9]+', '#')", "regexp_replace(s, '[0-9]+', '#', 'g')"},
    {"year", "year(t)", "year(t)", "max"},
    {"hour", "hour(t)", "hour(t)", "max"},
    {"date_trunc", "date_trunc('HOUR', t)", "date_trunc('hour', t)", "max"},
    {"cast to BIGINT", "CAST(x AS BIGINT)", "CAST(x AS BIGINT)", "max"},
    {"cast to DOUBLE", "CAST(x AS DOUBLE)", "CAST(x AS DOUBLE)", "max"},
    {"cast of BIGINT to text", "CAST(n AS STRING)", "CAST(n AS VARCHAR)"},
    {"n * 2 + 1", "n * 2 + 1", "n * 2 + 1", "max"},
    {"field of a struct", "p.b", "p.b", "max"},
    {"value of a map", "m['b']", "m['b']", "max"},
};

const char* const kTable =
    "CREATE TABLE t AS SELECT '  Name ' || i || ' of customer ' AS s, "
    "CASE WHEN i % 10 = 0 THEN 'gr\u00fcn ' || i ELSE 'green ' || i END AS u, i AS n, "
    "TIMESTAMP '2020-01-01 00:00:00' + to_seconds(i * 61) AS t, CAST(i * 7919 AS VARCHAR) AS x, "
    "{'a': i, 'b': i + 1} AS p, MAP(['a', 'b', 'c'], [i, i + 1, i + 2]) AS m FROM range(";

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// The best of some runs, ns a row.
template <typename Step>
Result<double> PerRow(int64_t rows, Step step) {
  double best = 1e300;
  for (int run = 0; run < 5; ++run) {
    const double begin = CpuSeconds();
    SLUICE_RETURN_NOT_OK(step());
    best = std::min(best, CpuSeconds() - begin);
  }
  return best / static_cast<double>(rows) * 1e9;
}

class NoRelations : public RelationResolver {
 public:
  Result<std::optional<ResolvedRelation>> ResolveRelation(const std::vector<std::string>&,
                                                          bool) override {
    return std::optional<ResolvedRelation>();
  }
  Result<std::optional<ResolvedTableFunction>> ResolveTableFunction(
      const std::string&, const std::map<std::string, std::string>&, bool) override {
    return std::optional<ResolvedTableFunction>();
  }
  std::vector<std::string> KnownRelations() override { return {}; }
};

constexpr int64_t kBatchRows = 65'536;

Status AppendRow(arrow::RecordBatchBuilder* builder, int64_t i) {
  auto text = [&](int column, const std::string& value) {
    return builder->GetFieldAs<arrow::StringBuilder>(column)->Append(value);
  };
  SLUICE_RETURN_NOT_OK(text(0, "  Name " + std::to_string(i) + " of customer "));
  SLUICE_RETURN_NOT_OK(text(1, (i % 10 == 0 ? "gr\u00fcn " : "green ") + std::to_string(i)));
  SLUICE_RETURN_NOT_OK(builder->GetFieldAs<arrow::Int64Builder>(2)->Append(i));
  constexpr int64_t kStart = 1'577'836'800'000'000;
  SLUICE_RETURN_NOT_OK(
      builder->GetFieldAs<arrow::TimestampBuilder>(3)->Append(kStart + i * 61'000'000));
  SLUICE_RETURN_NOT_OK(text(4, std::to_string(i * 7919)));
  auto* pair = builder->GetFieldAs<arrow::StructBuilder>(5);
  SLUICE_RETURN_NOT_OK(pair->Append());
  for (int field = 0; field < 2; ++field) {
    auto* values = static_cast<arrow::Int64Builder*>(pair->field_builder(field));
    SLUICE_RETURN_NOT_OK(values->Append(i + field));
  }
  auto* map = builder->GetFieldAs<arrow::MapBuilder>(6);
  SLUICE_RETURN_NOT_OK(map->Append());
  for (int key = 0; key < 3; ++key) {
    auto* keys = static_cast<arrow::StringBuilder*>(map->key_builder());
    auto* values = static_cast<arrow::Int64Builder*>(map->item_builder());
    SLUICE_RETURN_NOT_OK(keys->Append(std::string(1, static_cast<char>('a' + key))));
    SLUICE_RETURN_NOT_OK(values->Append(i + key));
  }
  return Status::OK();
}

std::shared_ptr<arrow::Schema> Columns() {
  const auto pair =
      arrow::struct_({arrow::field("a", arrow::int64()), arrow::field("b", arrow::int64())});
  return arrow::schema({arrow::field("s", arrow::utf8()), arrow::field("u", arrow::utf8()),
                        arrow::field("n", arrow::int64()),
                        arrow::field("t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                        arrow::field("x", arrow::utf8()), arrow::field("p", pair),
                        arrow::field("m", arrow::map(arrow::utf8(), arrow::int64()))});
}

Result<double> Ours(const Case& one, const arrow::RecordBatchVector& batches, int64_t rows) {
  const SourceText source("bench.sql", one.ours);
  SLUICE_ASSIGN_OR_RETURN(auto parsed, ParseExpression(source));
  NoRelations relations;
  SLUICE_ASSIGN_OR_RETURN(auto bound,
                          Analyzer(relations, source).AnalyzeExpression(parsed, *Columns()));
  SLUICE_ASSIGN_OR_RETURN(auto evaluator, Evaluator::Make(Columns(), {bound}));
  return PerRow(rows, [&]() -> Status {
    for (const auto& batch : batches) {
      SLUICE_ASSIGN_OR_RETURN(auto made, evaluator->Evaluate(*batch, 0));
      SLUICE_CHECK(made[0]->length() == batch->num_rows(), "a value for each row");
    }
    return Status::OK();
  });
}

// A DuckDB of one thread.
class DuckDb {
 public:
  DuckDb() {
    duckdb_open(nullptr, &database_);
    duckdb_connect(database_, &connection_);
  }
  ~DuckDb() {
    duckdb_disconnect(&connection_);
    duckdb_close(&database_);
  }
  DuckDb(const DuckDb&) = delete;
  DuckDb& operator=(const DuckDb&) = delete;

  Status Query(const std::string& sql) {
    duckdb_result result;
    const bool ok = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
    const Status status = ok ? Status::OK() : Status::Invalid(duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return status;
  }

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

Status Run(int64_t rows) {
  DuckDb duckdb;
  SLUICE_RETURN_NOT_OK(duckdb.Query("SET threads = 1"));
  SLUICE_RETURN_NOT_OK(duckdb.Query(kTable + std::to_string(rows) + ") AS r(i)"));
  arrow::RecordBatchVector batches;
  SLUICE_ASSIGN_OR_RETURN(auto builder,
                          arrow::RecordBatchBuilder::Make(Columns(), arrow::default_memory_pool()));
  for (int64_t i = 0; i < rows; ++i) {
    SLUICE_RETURN_NOT_OK(AppendRow(builder.get(), i));
    if ((i + 1) % kBatchRows != 0 && i + 1 < rows) continue;
    SLUICE_ASSIGN_OR_RETURN(auto batch, builder->Flush());
    batches.push_back(std::move(batch));
  }
  for (const Case& one : kCases) {
    SLUICE_ASSIGN_OR_RETURN(const double ours, Ours(one, batches, rows));
    // max() where counting would need no value.
    const std::string sql = std::string("SELECT ") + one.aggregate + "(" + one.duckdb + ") FROM t";
    SLUICE_ASSIGN_OR_RETURN(const double theirs, PerRow(rows, [&] { return duckdb.Query(sql); }));
    std::printf("{\"function\":\"%s\",\"ns_per_row\":%.1f,\"duckdb_ns_per_row\":%.1f}\n", one.name,
                ours, theirs);
  }
  return Status::OK();
}

}  // namespace
}  // namespace sluice::sql

int main(int argc, char** argv) {
  const auto status = sluice::sql::Run(argc > 1 ? std::atoll(argv[1]) : 1'000'000);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
