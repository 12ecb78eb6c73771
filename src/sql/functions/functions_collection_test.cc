// Functions over arrays, maps and lambdas beyond Spark's own examples: NULLs, empty ones, extremes.
#include <gtest/gtest.h>

#include "sql/execution/query_for_test.h"

namespace sluice::sql {
namespace {

class FunctionsTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { runner_ = QueryRunner::Make().release(); }
  static void TearDownTestSuite() {
    delete runner_;
    runner_ = nullptr;
  }
  static std::string Of(const std::string& expression) {
    return ValuesOf(runner_, "SELECT " + expression);
  }
  static QueryRunner* runner_;
};
QueryRunner* FunctionsTest::runner_ = nullptr;

TEST_F(FunctionsTest, ArraysTakenApartAndPutTogether) {
  EXPECT_EQ(Of("concat(array(1), NULL, array(2))"), "NULL");
  EXPECT_EQ(Of("concat(array(1), array(CAST(NULL AS INT)), array(2L))"), "[1, null, 2]");
  EXPECT_EQ(Of("flatten(array(array(1, 2), array(3)))"), "[1, 2, 3]");
  EXPECT_EQ(Of("flatten(array(array(1), CAST(NULL AS ARRAY<INT>)))"), "NULL");
  EXPECT_EQ(Of("array_append(array(1), NULL)"), "[1, null]");
  EXPECT_EQ(Of("array_prepend(CAST(NULL AS ARRAY<INT>), 1)"), "NULL");
  EXPECT_EQ(Of("array_insert(array(1, 2), 5, 9)"), "[1, 2, null, null, 9]");
  EXPECT_EQ(Of("array_insert(array(1, 2), -1, 9)"), "[1, 2, 9]");
  EXPECT_EQ(Of("array_insert(array(1), -3, 9)"), "[9, null, 1]");
  EXPECT_EQ(Of("array_insert(array(1), 0, 9)"), "INVALID_INDEX_OF_ZERO");
  EXPECT_EQ(Of("array_repeat('x', -1)"), "[]");
  EXPECT_EQ(Of("array_repeat(NULL, 2)"), "[null, null]");
  EXPECT_EQ(Of("array_compact(array(NULL, 1))"), "[1]");
  EXPECT_EQ(Of("arrays_zip(array(1, 2), array('a'))"), "[{1, a}, {2, null}]");
  EXPECT_EQ(Of("array_size(map(1, 2))"), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
}

TEST_F(FunctionsTest, ArraysAsSets) {
  EXPECT_EQ(Of("array_union(array(1, NULL), array(NULL, 2, 1))"), "[1, null, 2]");
  EXPECT_EQ(Of("array_except(array(1, NULL, 1, 2), array(2))"), "[1, null]");
  EXPECT_EQ(Of("array_intersect(array(0.0D, 1.0D), array(-0.0D))"), "[0.0]");
  EXPECT_EQ(Of("array_intersect(array(double('NaN')), array(double('NaN')))"), "[NaN]");
  EXPECT_EQ(Of("array_distinct(array(array(1), array(1), array(2)))"), "[[1], [2]]");
  EXPECT_EQ(Of("arrays_overlap(array(1, NULL), array(2))"), "NULL");
  EXPECT_EQ(Of("arrays_overlap(array(1, NULL), array(1))"), "true");
  EXPECT_EQ(Of("arrays_overlap(array(CAST(NULL AS INT)), array())"), "false");
}

TEST_F(FunctionsTest, Sequences) {
  EXPECT_EQ(Of("sequence(3, 1)"), "[3, 2, 1]");
  EXPECT_EQ(Of("sequence(1, 5, 2)"), "[1, 3, 5]");
  EXPECT_EQ(Of("sequence(1, 5, -1)"), "INVALID_PARAMETER_VALUE.SEQUENCE_BOUNDARIES");
  EXPECT_EQ(Of("sequence(9223372036854775806L, 9223372036854775807L)"),
            "[9223372036854775806, 9223372036854775807]");
  EXPECT_EQ(Of("sequence(-9223372036854775807L, 9223372036854775807L)"),
            "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER");
  EXPECT_EQ(Of("sequence(DATE'2024-01-31', DATE'2024-03-31', INTERVAL 1 MONTH)"),
            "[2024-01-31, 2024-02-29, 2024-03-31]");
  EXPECT_EQ(Of("sequence(TIMESTAMP'2024-01-01 00:00:00', TIMESTAMP'2024-01-01 02:00:00', "
               "INTERVAL 1 HOUR)"),
            "[2024-01-01 00:00:00, 2024-01-01 01:00:00, 2024-01-01 02:00:00]");
}

TEST_F(FunctionsTest, Maps) {
  EXPECT_EQ(Of("map_concat(map(1, 'a'), map(1, 'b'))"), "DUPLICATED_MAP_KEY");
  EXPECT_EQ(Of("map_entries(map('a', 1, 'b', NULL))"), "[{a, 1}, {b, null}]");
  EXPECT_EQ(Of("map_from_entries(array(struct(1, 'x'), struct(2, NULL)))"), "{1 -> x, 2 -> null}");
  EXPECT_EQ(Of("map_from_entries(array(struct(1, 'x'), NULL))"), "NULL");
  EXPECT_EQ(Of("str_to_map('a:1,b,c:')"), "{a -> 1, b -> null, c -> }");
  EXPECT_EQ(Of("str_to_map('a=1;b=2', ';', '=')"), "{a -> 1, b -> 2}");
  EXPECT_EQ(Of("str_to_map('a.1', '.', ':')"), "NOT_SUPPORTED_YET");
}

TEST_F(FunctionsTest, Lambdas) {
  EXPECT_EQ(Of("transform(array(1, NULL, 3), x -> x + 1)"), "[2, null, 4]");
  EXPECT_EQ(Of("transform(CAST(NULL AS ARRAY<INT>), x -> x + 1)"), "NULL");
  EXPECT_EQ(Of("transform(array(array(1, 2), array(3)), (a, i) -> transform(a, x -> x * 10 + i))"),
            "[[10, 20], [31]]");
  EXPECT_EQ(Of("filter(array(1, NULL, 3), x -> x > 1)"), "[3]");
  EXPECT_EQ(Of("exists(array(1, NULL), x -> x > 1)"), "NULL");
  EXPECT_EQ(Of("exists(array(2, NULL), x -> x > 1)"), "true");
  EXPECT_EQ(Of("forall(array(), x -> x)"), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
  EXPECT_EQ(Of("aggregate(array(1, 2, 3), 100, (acc, x) -> acc - x, acc -> acc * 2)"), "188");
  EXPECT_EQ(Of("aggregate(array(1), 0L, (acc, x) -> acc + x)"), "1");
  EXPECT_EQ(Of("aggregate(array(1L), 0, (acc, x) -> acc + x)"),
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
  EXPECT_EQ(Of("zip_with(array(1, 2), array(10), (a, b) -> coalesce(a, 0) + coalesce(b, 0))"),
            "[11, 2]");
  EXPECT_EQ(Of("map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)"), "{b -> 2}");
  EXPECT_EQ(Of("transform_keys(map(1, 2, 3, 4), (k, v) -> 0)"), "DUPLICATED_MAP_KEY");
  EXPECT_EQ(Of("transform_values(map(1, 2), (k, v) -> k + v)"), "{1 -> 3}");
  EXPECT_EQ(Of("array_sort(array(3, 1, 2, 5, 4), (a, b) -> b - a)"), "[5, 4, 3, 2, 1]");
  EXPECT_EQ(Of("array_sort(array(2, NULL, 1))"), "[1, 2, null]");
  EXPECT_EQ(Of("array_sort(array(2, 1), (a, b) -> CAST(NULL AS INT))"), "COMPARATOR_RETURNS_NULL");
  EXPECT_EQ(Of("transform(array(1), (a, a) -> a)"),
            "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES");
}

TEST_F(FunctionsTest, LambdasSeeTheRowAroundThem) {
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT transform(a, x -> x + n), aggregate(a, 0, (s, x) -> s + x * n), "
                     "exists(a, x -> x = n) FROM VALUES (array(1, 2), 10), (array(), 20), "
                     "(NULL, 30), (array(40), 40) AS t(a, n)"),
            "[11, 12]|30|false,[]|0|false,NULL|NULL|NULL,[80]|1600|true");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT sum(x), transform(array(1), y -> y + sum(x)) FROM VALUES (1), "
                     "(2) AS t(x)"),
            "3|[4]");
  EXPECT_EQ(Of("filter(array(1, 0), x -> 1 / x > 0)"), "DIVIDE_BY_ZERO");
}

TEST_F(FunctionsTest, Generators) {
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT n, explode(a) FROM VALUES (1, array(10, 20)), (2, array()), "
                     "(3, NULL) AS t(n, a)"),
            "1|10,1|20");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT n, posexplode_outer(a) AS (p, x) FROM VALUES (1, array(10)), "
                     "(2, NULL) AS t(n, a)"),
            "1|0|10,2|NULL|NULL");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT k, v, n FROM VALUES (1, map('a', 2, 'b', 3)) AS t(n, m) "
                     "LATERAL VIEW explode(m) x AS k, v WHERE v > 2"),
            "b|3|1");
  EXPECT_EQ(ValuesOf(runner_,
                     "SELECT * FROM VALUES (1, array(5, 6)) AS t(n, a), LATERAL "
                     "explode(a) AS e(x)"),
            "1|[5, 6]|5,1|[5, 6]|6");
  EXPECT_EQ(ValuesOf(runner_, "SELECT stack(2, 1, 'a', 2)"), "1|a,2|NULL");
  EXPECT_EQ(ValuesOf(runner_, "SELECT * FROM range(5, 0, -2)"), "5,3,1");
  EXPECT_EQ(ValuesOf(runner_, "SELECT * FROM range(0)"), "");
  EXPECT_EQ(ValuesOf(runner_, "SELECT explode(array(1, 2)), explode(array(3))"), "1|3,2|3");
  EXPECT_EQ(ValuesOf(runner_, "SELECT inline(array(struct(1, 'x'), NULL))"), "1|x,NULL|NULL");
}

}  // namespace
}  // namespace sluice::sql
