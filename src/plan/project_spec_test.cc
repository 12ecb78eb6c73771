#include "plan/project_spec.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sluice::plan {
namespace {

namespace fs = std::filesystem;

class ProjectSpecTest : public ::testing::Test {
 protected:
  ProjectSpecTest()
      : root_(fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(root_ / "transformations" / "deep");
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name) << text;
    return (root_ / name).string();
  }
  fs::path root_;
};

TEST_F(ProjectSpecTest, ReadsSparksKeysAndOurs) {
  const std::string spec_path = Write("spark-pipeline.yml", R"(
name: p
storage: file:///tmp/s
schema: bench
configuration: {brokers: "a:1", topic: t}
libraries: [{glob: {include: transformations/**}}]
)");
  Write("sluice.yml", "warehouse: tables\ncontinuous: true\n");
  Write("transformations/b.sql", "B");
  Write("transformations/deep/a.sql", "A");
  const auto spec = LoadProjectSpec(spec_path, {{"topic", "other"}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->storage, "/tmp/s");
  EXPECT_EQ(spec->database, "bench");
  EXPECT_EQ(spec->configuration.at("topic"), "other");
  EXPECT_EQ(spec->configuration.at("brokers"), "a:1");
  EXPECT_EQ(spec->engine.warehouse, (root_ / "tables").string());
  EXPECT_TRUE(spec->engine.continuous);
  const auto files = LoadProjectFiles(*spec);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].path, "transformations/b.sql");
  EXPECT_EQ((*files)[1].text, "A");
  EXPECT_EQ(*FindSpecFile((root_ / "transformations").string()), spec_path);
}

TEST_F(ProjectSpecTest, SaysWhatIsWrongAndWhere) {
  const std::string unknown = Write("a.yml", "name: p\nstorage: /s\ncontinuous: true\n");
  const Status status = LoadProjectSpec(unknown, {}).status();
  EXPECT_TRUE(HasCode(status, "PIPELINE_SPEC_UNEXPECTED_FIELD"));
  EXPECT_NE(status.message().find("a.yml:3:1"), std::string::npos) << status.message();
  EXPECT_TRUE(HasCode(LoadProjectSpec(Write("b.yml", "name: p\n"), {}).status(),
                      "PIPELINE_SPEC_MISSING_REQUIRED_FIELD"));
  EXPECT_TRUE(
      HasCode(LoadProjectSpec(Write("c.yml", "name: [\n"), {}).status(), "PIPELINE_SPEC_SYNTAX"));
  EXPECT_TRUE(HasCode(LoadProjectSpec(Write("d.yml", "name: p\nstorage: s3://b/x\n"), {}).status(),
                      "NOT_SUPPORTED_YET"));
  EXPECT_TRUE(HasCode(FindSpecFile(root_.string()).status(), "PIPELINE_SPEC_FILE_NOT_FOUND"));
}

TEST_F(ProjectSpecTest, TakesSqlFilesOnly) {
  const std::string spec_path = Write("spark-pipeline.yml", "name: p\nstorage: /tmp/s\n");
  Write("transformations/x.txt", "");
  const auto spec = LoadProjectSpec(spec_path, {});
  ASSERT_TRUE(spec.ok());
  EXPECT_TRUE(
      HasCode(LoadProjectFiles(*spec).status(), "PIPELINE_UNSUPPORTED_DEFINITIONS_FILE_EXTENSION"));
}

}  // namespace
}  // namespace sluice::plan
