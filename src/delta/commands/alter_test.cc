#include "delta/commands/alter.h"

#include <set>

#include "delta/commands/dml.h"
#include "delta/commands/write_rows.h"
#include "delta/log/table_for_test.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

class AlterTest : public ChangedTableTest {
 protected:
  static std::shared_ptr<arrow::Schema> Nested() {
    const auto element = arrow::struct_({arrow::field("x", arrow::int16())});
    return arrow::schema(
        {arrow::field("id", arrow::int64(), false),
         arrow::field("st", arrow::struct_({arrow::field("a", arrow::int8()),
                                            arrow::field("b", arrow::utf8())})),
         arrow::field("l", arrow::list(arrow::field("element", element))),
         arrow::field("m", arrow::map(arrow::int8(), arrow::field("value", arrow::int16())))});
  }
  static std::string SchemaText(const Table& table) {
    return table.Current()->schema()->ToString(/*show_metadata=*/false);
  }
  static std::string Code(const Status& status) { return ErrorCode(status); }
  template <typename T>
  static std::string Code(const Result<T>& result) {
    return ErrorCode(result.status());
  }
};

TEST_F(AlterTest, ColumnsComeAtAnyLevelAndPlace) {
  const auto table = Create({}, {}, Nested());
  const auto added =
      AddColumns(*table, {{{}, arrow::field("n", arrow::int32()), ColumnPosition{false, "id"}},
                          {{"ST"}, arrow::field("first", arrow::utf8()), ColumnPosition{true, ""}},
                          {{"l", "element"}, arrow::field("y", arrow::float64()), std::nullopt}});
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(SchemaText(*table),
            "id: int64 not null\nn: int32\n"
            "st: struct<first: string, a: int8, b: string>\n"
            "l: list<element: struct<x: int16, y: double>>\nm: map<int8, int16>");
  const CommitInfo info = LastCommit(*table);
  EXPECT_EQ(info.operation, "ADD COLUMNS");
  EXPECT_NE(info.operation_parameters.at("columns").find(
                R"({"column":{"name":"n","type":"integer","nullable":true,"metadata":{}},)"
                R"("position":"AFTER id"})"),
            std::string::npos)
      << info.operation_parameters.at("columns");
  EXPECT_EQ(Code(AddColumns(*table, {{{"st"}, arrow::field("A", arrow::int8()), std::nullopt}})),
            "FIELD_ALREADY_EXISTS");
  EXPECT_EQ(Code(AddColumns(*table, {{{"no"}, arrow::field("q", arrow::int8()), std::nullopt}})),
            "DELTA_SCHEMA_MISMATCH");
  EXPECT_EQ(Code(AddColumns(*table, {{{}, arrow::field("q", arrow::int8(), false), {}}})),
            "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP");
}

TEST_F(AlterTest, MappedColumnsAreRenamedAndDroppedInPlace) {
  const auto plain = Create({}, {"day"});
  EXPECT_EQ(Code(RenameColumn(*plain, {"v"}, "w")), "DELTA_UNSUPPORTED_RENAME_COLUMN");
  EXPECT_EQ(Code(DropColumns(*plain, {{"v"}})), "DELTA_UNSUPPORTED_DROP_COLUMN");
  Append(*plain, {{1, 10, "a"}});
  ASSERT_TRUE(SetProperties(*plain, {{"delta.columnMapping.mode", "name"}}).ok());
  EXPECT_EQ(plain->Current()->protocol().min_reader_version, 2);
  EXPECT_EQ(plain->Current()->protocol().min_writer_version, 5);
  Append(*plain, {{2, 20, "b"}});
  ASSERT_TRUE(RenameColumn(*plain, {"DAY"}, "date").ok());
  ASSERT_TRUE(RenameColumn(*plain, {"v"}, "odd name;").ok());
  EXPECT_EQ(plain->Current()->partition_columns(), std::vector<std::string>{"date"});
  EXPECT_EQ(Contents(), Texts({{1, 10, "a"}, {2, 20, "b"}}));
  EXPECT_EQ(LastCommit(*plain).operation_parameters.at("newColumnPath"), "odd name;");
  EXPECT_EQ(Code(RenameColumn(*plain, {"id"}, "DATE")), "FIELD_ALREADY_EXISTS");
  EXPECT_EQ(Code(DropColumns(*plain, {{"date"}})), "DELTA_UNSUPPORTED_DROP_COLUMN");
  // A column of an old name is another column.
  ASSERT_TRUE(DropColumns(*plain, {{"odd name;"}}).ok());
  ASSERT_TRUE(
      AddColumns(*plain, {{{}, arrow::field("v", arrow::int64()), ColumnPosition{false, "id"}}})
          .ok());
  EXPECT_EQ(Contents(), Texts({{1, std::nullopt, "a"}, {2, std::nullopt, "b"}}));
  ASSERT_TRUE(UpdateRows(*plain, RowCondition::Always(),
                         {{{"v"}, Number([](const TestRow& row) { return row.id; })}})
                  .ok());
  EXPECT_EQ(Contents(), Texts({{1, 1, "a"}, {2, 2, "b"}}));
}

TEST_F(AlterTest, RenamedColumnsKeepTheirStatistics) {
  const auto table =
      Create({{"delta.columnMapping.mode", "name"}, {"delta.dataSkippingStatsColumns", "v,day"}});
  ASSERT_TRUE(RenameColumn(*table, {"v"}, "a b").ok());
  EXPECT_EQ(table->Current()->metadata().configuration.at("delta.dataSkippingStatsColumns"),
            "`a b`,day");
}

TEST_F(AlterTest, ReplacedColumnsStayOrComeOrGo) {
  const auto table = Create({}, {}, Nested());
  const auto replace = [&](arrow::FieldVector fields) {
    return Code(ReplaceColumns(*table, fields));
  };
  const auto st = arrow::field(
      "ST", arrow::struct_({arrow::field("b", arrow::utf8()), arrow::field("c", arrow::int8()),
                            arrow::field("a", arrow::int8())}));
  const auto l = table->Current()->schema()->GetFieldByName("l");
  const auto m = table->Current()->schema()->GetFieldByName("m");
  const auto id = arrow::field("id", arrow::int64());
  ASSERT_EQ(replace({m, st, id, arrow::field("new", arrow::date32()), l}), "OK");
  EXPECT_EQ(SchemaText(*table),
            "m: map<int8, int16>\nst: struct<b: string, c: int8, a: int8>\nid: int64\n"
            "new: date32[day]\nl: list<element: struct<x: int16>>");
  EXPECT_EQ(LastCommit(*table).operation, "REPLACE COLUMNS");
  constexpr char kRefused[] = "DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP";
  EXPECT_EQ(replace({m, st, id, l}), kRefused);
  EXPECT_EQ(replace({m, st, id->WithType(arrow::int32()), st, l}), kRefused);
  EXPECT_EQ(replace({m, st, id->WithNullable(false), arrow::field("new", arrow::date32()), l}),
            kRefused);
  ASSERT_TRUE(SetProperties(*table, {{"delta.columnMapping.mode", "name"}}).ok());
  EXPECT_EQ(replace({id, id}), "DELTA_DUPLICATE_COLUMNS_FOUND");
  ASSERT_EQ(replace({id, arrow::field("st", arrow::struct_({arrow::field("c", arrow::int8())}))}),
            "OK");
  EXPECT_EQ(SchemaText(*table), "id: int64\nst: struct<c: int8>");
}

TEST_F(AlterTest, TypesOnlyWiden) {
  const auto table = Create({}, {}, Nested());
  const auto type = [&](ColumnPath path, std::shared_ptr<arrow::DataType> wider) {
    ColumnChange change;
    change.path = std::move(path);
    change.type = std::move(wider);
    return ErrorCode(ChangeColumn(*table, change).status());
  };
  const std::string refused = "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP";
  EXPECT_EQ(type({"st", "a"}, arrow::int32()), refused);
  ASSERT_TRUE(SetProperties(*table, {{"delta.enableTypeWidening", "true"}}).ok());
  EXPECT_EQ(type({"st", "a"}, arrow::int32()), "OK");
  EXPECT_EQ(type({"st", "a"}, arrow::float64()), "OK");
  EXPECT_EQ(type({"l", "element", "x"}, arrow::int32()), "OK");
  EXPECT_EQ(type({"m", "key"}, arrow::int16()), "OK");
  EXPECT_EQ(type({"m", "value"}, arrow::decimal128(12, 2)), "OK");
  EXPECT_EQ(type({"id"}, arrow::int32()), refused);
  EXPECT_EQ(type({"id"}, arrow::utf8()), refused);
  EXPECT_EQ(type({"id"}, arrow::float64()), refused);
  EXPECT_EQ(SchemaText(*table),
            "id: int64 not null\nst: struct<a: double, b: string>\n"
            "l: list<element: struct<x: int32>>\nm: map<int16, decimal128(12, 2)>");
  const auto& schema = *table->Current()->schema();
  EXPECT_EQ(*schema.field(1)->type()->field(0)->metadata()->Get("delta.typeChanges"),
            R"([{"toType":"integer","fromType":"byte"},{"toType":"double","fromType":"integer"}])");
  const std::string of_map =
      "[{\"toType\":\"short\",\"fromType\":\"byte\",\"fieldPath\":\"key\"},"
      "{\"toType\":\"decimal(12,2)\",\"fromType\":\"short\",\"fieldPath\":\"value\"}]";
  EXPECT_EQ(*schema.field(3)->metadata()->Get("delta.typeChanges"), of_map);
}

TEST_F(AlterTest, ColumnsChangeWhatIsGiven) {
  const auto table = Create({}, {}, Nested());
  ColumnChange change;
  change.path = {"id"};
  change.drop_not_null = true;
  change.comment = "the id";
  change.position = ColumnPosition{false, "l"};
  ASSERT_TRUE(ChangeColumn(*table, change).ok());
  const auto field = table->Current()->schema()->field(2);
  EXPECT_EQ(field->name(), "id");
  EXPECT_TRUE(field->nullable());
  EXPECT_EQ(ColumnMetadata(*field, "comment"), "the id");
  EXPECT_EQ(LastCommit(*table).operation_parameters.at("position"), "AFTER l");
  ColumnChange value;
  value.path = {"id"};
  value.default_value = "7";
  EXPECT_EQ(Code(ChangeColumn(*table, value)),
            "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED");
  ASSERT_TRUE(SetProperties(*table, {{"delta.feature.allowcolumndefaults", "supported"}}).ok());
  EXPECT_TRUE(table->Current()->protocol().HasWriterFeature("allowColumnDefaults"));
  EXPECT_FALSE(
      table->Current()->metadata().configuration.contains("delta.feature.allowcolumndefaults"));
  ASSERT_TRUE(ChangeColumn(*table, value).ok());
  EXPECT_EQ(ColumnMetadata(*table->Current()->schema()->field(2), "CURRENT_DEFAULT"), "7");
  value.default_value = "";
  ASSERT_TRUE(ChangeColumn(*table, value).ok());
  EXPECT_EQ(ColumnMetadata(*table->Current()->schema()->field(2), "CURRENT_DEFAULT"), "");
}

TEST_F(AlterTest, PropertiesRaiseTheProtocolOnlyByWhatTheyAsk) {
  const auto table = Create();
  ASSERT_TRUE(SetProperties(*table, {{"mine", "1"}, {"delta.appendOnly", "true"}}).ok());
  EXPECT_EQ(table->Current()->protocol(), Protocol());
  ASSERT_TRUE(
      SetProperties(*table, {{"delta.minReaderVersion", "2"}, {"delta.minWriterVersion", "5"}})
          .ok());
  EXPECT_EQ(table->Current()->protocol().min_reader_version, 2);
  EXPECT_FALSE(table->Current()->metadata().configuration.contains("delta.minWriterVersion"));
  ASSERT_TRUE(SetProperties(*table, {{"delta.enableDeletionVectors", "true"}}).ok());
  const Protocol protocol = table->Current()->protocol();
  EXPECT_EQ(protocol.min_writer_version, 7);
  EXPECT_TRUE(protocol.HasReaderFeature("deletionVectors"));
  EXPECT_TRUE(protocol.HasReaderFeature("columnMapping"));
  EXPECT_TRUE(protocol.HasWriterFeature("checkConstraints"));
  EXPECT_EQ(Code(SetProperties(*table, {{"delta.feature.unheardOf", "supported"}})),
            "DELTA_UNSUPPORTED_WRITER_FEATURE");
  EXPECT_EQ(Code(SetProperties(*table, {{"delta.constraints.x", "v > 0"}})),
            "DELTA_INVALID_PROPERTY");
  EXPECT_EQ(Code(SetProperties(*table, {{"delta.nobody", "1"}})), "DELTA_UNKNOWN_CONFIGURATION");
  ASSERT_TRUE(UnsetProperties(*table, {"mine", "nobody"}, true).ok());
  EXPECT_FALSE(table->Current()->metadata().configuration.contains("mine"));
  EXPECT_EQ(LastCommit(*table).operation, "UNSET TBLPROPERTIES");
}

TEST_F(AlterTest, RowTrackingGivesIdsToRowsThereAre) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}, {2, 20, "b"}});
  Append(*table, {{3, 30, "a"}});
  ASSERT_TRUE(SetProperties(*table, {{"delta.enableRowTracking", "true"}}).ok());
  std::set<int64_t> given;
  for (const auto& [id, ids] : RowIds()) given.insert(ids.first);
  EXPECT_EQ(given, (std::set<int64_t>{0, 1, 2}));
  EXPECT_EQ(Contents().size(), 3U);
  const auto before = RowIds();
  ASSERT_TRUE(UpdateRows(*table, RowCondition::Always(),
                         {{{"v"}, Number([](const TestRow& row) { return row.id; })}})
                  .ok());
  for (const auto& [id, ids] : RowIds()) EXPECT_EQ(ids.first, before.at(id).first);
}

TEST_F(AlterTest, ConstraintsMustHoldForRowsThereAre) {
  TestExpressions expressions;
  expressions.known["v > 0"] = Condition([](const TestRow& row) -> std::optional<bool> {
    if (!row.v.has_value()) return std::nullopt;
    return *row.v > 0;
  });
  const auto table = Create({{"delta.columnMapping.mode", "name"}});
  Append(*table, {{1, 1, "a"}, {2, std::nullopt, "a"}});
  EXPECT_EQ(Code(AddConstraint(*table, "Pos", "v > 0", expressions)),
            "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION");
  RowCondition unknown;
  unknown.holds = Condition([](const TestRow& row) { return std::optional(!row.v.has_value()); });
  ASSERT_TRUE(DeleteRows(*table, unknown).ok());
  ASSERT_TRUE(AddConstraint(*table, "Pos", "v > 0", expressions).ok());
  EXPECT_EQ(table->Current()->metadata().configuration.at("delta.constraints.pos"), "v > 0");
  EXPECT_EQ(Code(AddConstraint(*table, "pos", "v > 0", expressions)),
            "DELTA_CONSTRAINT_ALREADY_EXISTS");
  EXPECT_EQ(Code(RenameColumn(*table, {"v"}, "w")), "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE");
  EXPECT_EQ(Code(DropColumns(*table, {{"v"}})), "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE");
  EXPECT_TRUE(RenameColumn(*table, {"day"}, "w").ok());
  EXPECT_EQ(Code(DropConstraint(*table, "none", false)), "DELTA_CONSTRAINT_DOES_NOT_EXIST");
  EXPECT_FALSE(DropConstraint(*table, "none", true).ValueOrDie().has_value());
  ASSERT_TRUE(DropConstraint(*table, "POS", false).ValueOrDie().has_value());
  EXPECT_TRUE(RenameColumn(*table, {"v"}, "z").ok());
}

}  // namespace
}  // namespace sluice::delta
