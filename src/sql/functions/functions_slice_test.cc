// Every kernel on a part of a batch gives that part of its result: slices have offsets in all their
// buffers, and a constant argument stands beside columns.
#include <arrow/compute/api.h>
#include <gtest/gtest.h>

#include "sql/execution/relations_for_test.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {
namespace {

constexpr const char* kRows =
    "SELECT * FROM VALUES "
    "(1, 'a b', array(3, 1, NULL), map('x', 1, 'y', NULL), DATE'2024-01-31', 1.5D, "
    "array(array(1), array(2, 3)), '{\"a\":[1,2]}'), "
    "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), "
    "(-7, '', array(), map('z', 5), DATE'1969-12-31', -0.0D, array(), '{'), "
    "(2147483647, 'h\u00e9llo w\u00f6rld', array(9, 9), map('x', 2, 'q', 3), DATE'2024-02-29', "
    "double('NaN'), array(CAST(NULL AS ARRAY<INT>)), '[]'), "
    "(0, 'x,y', array(NULL), map('y', 0), DATE'2000-01-01', 1e300, array(array(4, NULL)), "
    "'{\"a\":null,\"b\":\"t\"}') AS t(n, s, a, m, d, x, aa, j)";

constexpr const char* kExpressions[] = {
    "concat(a, array(n))",
    "flatten(aa)",
    "array_append(a, n)",
    "array_prepend(a, 7)",
    "array_insert(a, 2, n)",
    "array_repeat(s, 2)",
    "array_remove(a, 9)",
    "array_compact(a)",
    "arrays_zip(a, aa)",
    "array_union(a, array(9, n))",
    "array_except(a, array(1))",
    "array_intersect(a, array(9, 1))",
    "arrays_overlap(a, array(9))",
    "array_distinct(aa)",
    "array_sort(a)",
    "sort_array(a)",
    "slice(a, 1, 2)",
    "reverse(a)",
    "array_max(a)",
    "array_contains(a, 9)",
    "array_position(a, 9)",
    "array_join(a, '-', '?')",
    "size(a)",
    "get(a, 1)",
    "map_concat(m, map('new', n))",
    "map_entries(m)",
    "map_keys(m)",
    "m['x']",
    "map_from_entries(map_entries(m))",
    "map_contains_key(m, 'x')",
    "transform(a, (y, i) -> y + i + length(s))",
    "filter(a, y -> y > 1)",
    "exists(a, y -> y = 9)",
    "forall(a, y -> y = 9)",
    "aggregate(a, 0L, (t, y) -> t + y)",
    "zip_with(a, aa, (y, z) -> size(z))",
    "map_filter(m, (k, v) -> v > 1)",
    "transform_keys(m, (k, v) -> concat(k, '!'))",
    "transform_values(m, (k, v) -> v + 1)",
    "map_zip_with(m, m, (k, v, w) -> v + w)",
    "array_sort(a, (p, q) -> coalesce(q - p, 0))",
    "sequence(1, size(a))",
    "hash(n, s, a, d, x, aa)",
    "xxhash64(n, s, a, d, x, aa)",
    "overlay(s, '_', 2)",
    "elt(1, s, 'z')",
    "soundex(s)",
    "levenshtein(s, 'hello')",
    "quote(s)",
    "lpad(s, 7, '*')",
    "hex(encode(s, 'UTF-16'))",
    "url_encode(s)",
    "regexp_count(s, '[a-z]')",
    "regexp_extract_all(s, '([a-z])', 1)",
    "regexp_instr(s, ' ')",
    "split(s, ' ')",
    "format_string('%s:%d', s, n)",
    "format_number(x, 2)",
    "to_char(CAST(n AS BIGINT), 'S9999999999')",
    "bin(n)",
    "conv(CAST(n AS STRING), 10, 36)",
    "width_bucket(x, 0, 10, 5)",
    "sinh(x)",
    "months_between(d, DATE'2024-01-01')",
    "timestampadd(MONTH, 1, d)",
    "add_months(d, 1)",
    "make_timestamp(2024, 1, 1, 0, 0, abs(n % 60))",
    "date_format(d, 'yyyy-MM-dd')",
    "get_json_object(j, '$.a')",
    "json_array_length(j)",
    "json_object_keys(j)",
    "from_json(j, 'a ARRAY<INT>, b STRING')",
    "to_json(named_struct('n', n, 'a', a))",
    "to_csv(named_struct('n', n, 's', s))",
    "try_parse_json(j):a[0]::int",
    "try_variant_get(try_parse_json(j), '$.b', 'string')",
    "named_struct('n', n, 'a', a).a",
    "CASE WHEN n > 0 THEN a ELSE array(n) END",
    "coalesce(a, array(1))",
};

TEST(FunctionSlices, APartGivesThePart) {
  TestRelations none;
  auto runner = QueryRunner::Make();
  auto plan = none.Plan(kRows);
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  auto table = runner->RunToTable(*plan, none.Opener(), 0);
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  const auto batch = *(*table)->CombineChunksToBatch();
  for (const char* expression : kExpressions) {
    const SourceText source("", expression);
    auto parsed = ParseExpression(source);
    ASSERT_TRUE(parsed.ok()) << expression << ": " << parsed.status().ToString();
    auto bound = Analyzer(none, source).AnalyzeExpression(*parsed, *batch->schema());
    ASSERT_TRUE(bound.ok()) << expression << ": " << bound.status().ToString();
    auto evaluator = Evaluator::Make(batch->schema(), {*bound});
    ASSERT_TRUE(evaluator.ok()) << expression << ": " << evaluator.status().ToString();
    auto whole = (*evaluator)->Evaluate(*batch, 0);
    ASSERT_TRUE(whole.ok()) << expression << ": " << whole.status().ToString();
    ASSERT_TRUE((*whole)[0]->ValidateFull().ok())
        << expression << ": " << (*whole)[0]->ValidateFull().ToString();
    EXPECT_TRUE((*whole)[0]->type()->Equals(*(*bound)->type)) << expression;
    for (int64_t from = 0; from < batch->num_rows(); ++from) {
      for (int64_t length = 0; from + length <= batch->num_rows(); ++length) {
        auto part = (*evaluator)->Evaluate(*batch->Slice(from, length), 0);
        ASSERT_TRUE(part.ok()) << expression << ": " << part.status().ToString();
        ASSERT_EQ((*part)[0]->length(), length) << expression;
        EXPECT_TRUE((*part)[0]->Equals(*(*whole)[0]->Slice(from, length),
                                       arrow::EqualOptions::Defaults().nans_equal(true)))
            << expression << " rows " << from << " + " << length << ": " << (*part)[0]->ToString()
            << "\n"
            << (*whole)[0]->Slice(from, length)->ToString();
      }
    }
  }
}

}  // namespace
}  // namespace sluice::sql
