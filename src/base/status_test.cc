#include "base/status.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/random.h"

namespace sluice {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0)
    return MakeError("ODD_VALUE", "value must be even: " + std::to_string(value),
                     "pass an even one");
  return value / 2;
}

Status Twice(int value, int* out) {
  SLUICE_ASSIGN_OR_RETURN(int once, Half(value));
  SLUICE_ASSIGN_OR_RETURN(*out, Half(once));
  return Status::OK();
}

TEST(StatusTest, CarriesCodeHintAndRetry) {
  int out = 0;
  EXPECT_TRUE(Twice(8, &out).ok());
  EXPECT_EQ(out, 2);
  const Status status = Twice(6, &out);
  EXPECT_EQ(ErrorCode(status), "ODD_VALUE");
  EXPECT_EQ(ErrorHint(status), "pass an even one");
  EXPECT_EQ(RetryClass(status), Retry::kNever);
  const Status wrapped = WithContext(status, "table t");
  EXPECT_EQ(wrapped.message(), "table t: value must be even: 3");
  EXPECT_TRUE(HasCode(wrapped, "ODD_VALUE"));
}

TEST(StatusTest, ArrowErrorsHaveCodesToo) {
  EXPECT_EQ(ErrorCode(Status::IOError("x")), "IO_ERROR");
  EXPECT_EQ(RetryClass(Status::IOError("x")), Retry::kLater);
  EXPECT_EQ(ErrorCode(Status::OK()), "OK");
}

TEST(RandomTest, SeedReplays) {
  Random a(7);
  Random b(7);
  EXPECT_EQ(a.Uuid(), b.Uuid());
  EXPECT_EQ(a.Uuid().size(), 36U);
}

TEST(ClockTest, ManualMovesWhenTold) {
  ManualClock clock(10);
  clock.SleepMicros(5);
  EXPECT_EQ(clock.NowMicros(), 15);
}

}  // namespace
}  // namespace sluice
