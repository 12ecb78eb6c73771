#include "app/error_pages.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::app {
namespace {

TEST(ErrorPages, AreSortedAndOpenWithTheirCode) {
  std::string_view last;
  for (const ErrorPageEntry& entry : ErrorPages()) {
    EXPECT_LT(last, entry.code);
    EXPECT_TRUE(entry.text.starts_with("# " + std::string(entry.code) + "\n")) << entry.code;
    last = entry.code;
  }
}

TEST(ErrorPages, FindsACodeInAnyCase) {
  ASSERT_FALSE(ErrorPages().empty());
  const ErrorPageEntry& any = ErrorPages().front();
  std::string lower(any.code);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  EXPECT_EQ(ErrorPage(any.code), any.text);
  EXPECT_EQ(ErrorPage(lower), any.text);
  EXPECT_EQ(ErrorPage("NO_SUCH_CODE_OF_OURS"), std::nullopt);
}

}  // namespace
}  // namespace sluice::app
