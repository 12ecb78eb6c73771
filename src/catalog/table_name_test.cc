#include "catalog/table_name.h"

#include <gtest/gtest.h>

namespace sluice::catalog {
namespace {

TEST(TableNameTest, QualifiesWithDefaults) {
  EXPECT_EQ(QualifyName({"T"}, "spark_catalog", "bench")->ToString(), "bench.t");
  EXPECT_EQ(QualifyName({"S", "t"}, "spark_catalog", "bench")->ToString(), "s.t");
  EXPECT_EQ(QualifyName({"Spark_Catalog", "s", "t"}, "spark_catalog", "x")->ToString(), "s.t");
  EXPECT_EQ(QualifyDottedName("s.T", "spark_catalog", "x")->ToString(), "s.t");
  EXPECT_TRUE(
      HasCode(QualifyDottedName("s.", "spark_catalog", "x").status(), "INVALID_IDENTIFIER"));
  EXPECT_EQ(TablePath("/w", {"s", "t"}), "/w/s/t");
}

TEST(TableNameTest, RefusesWhatCannotBeAFolder) {
  EXPECT_TRUE(HasCode(QualifyName({"other", "s", "t"}, "spark_catalog", "x").status(),
                      "TABLE_OR_VIEW_NOT_FOUND"));
  for (const char* bad : {"", "..", "a/b", "_delta_log"}) {
    EXPECT_TRUE(HasCode(QualifyName({bad}, "c", "s").status(), "INVALID_IDENTIFIER")) << bad;
  }
}

}  // namespace
}  // namespace sluice::catalog
