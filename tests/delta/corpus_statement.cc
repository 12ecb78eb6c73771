#include "corpus_statement.h"

#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <regex>
#include <set>

#include "delta/columns/schema_edit.h"
#include "delta/commands/alter.h"
#include "delta/commands/dml.h"
#include "delta/commands/merge.h"
#include "delta/commands/schema_evolution.h"
#include "delta/commands/write_rows.h"
#include "delta/protocol/schema_json.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::delta {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using Texts = std::vector<std::string>;

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \n\t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \n\t") - begin + 1);
}

/// Places of `text` that are outside quotes and brackets.
std::vector<bool> TopLevel(const std::string& text) {
  std::vector<bool> top(text.size(), false);
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '`') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else {
      top[i] = depth == 0;
    }
  }
  return top;
}

/// Parts of `text` between `separator`s at the top level (a word is found as written).
Texts Split(const std::string& text, const std::string& separator) {
  const auto top = TopLevel(text);
  Texts parts;
  size_t begin = 0;
  for (size_t at = text.find(separator); at != std::string::npos;
       at = text.find(separator, at + 1)) {
    if (!top[at]) continue;
    parts.push_back(Trimmed(text.substr(begin, at - begin)));
    begin = at + separator.size();
  }
  parts.push_back(Trimmed(text.substr(begin)));
  return parts;
}

/// A part of a match, copied.
struct Group {
  std::string text;
  bool matched = false;
  const std::string& str() const { return text; }
};

std::optional<std::vector<Group>> Match(const std::string& text, const char* pattern) {
  std::smatch match;
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::icase);
  if (!std::regex_match(text, match, expression)) return std::nullopt;
  std::vector<Group> groups;
  for (const auto& part : match) groups.push_back({part.str(), part.matched});
  return groups;
}

std::string Unquoted(std::string name) {
  std::erase(name, '`');
  return name;
}

ColumnPath PathOf(const std::string& dotted) {
  ColumnPath path;
  std::string part;
  bool quoted = false;
  for (const char c : Trimmed(dotted)) {
    if (c == '`') {
      quoted = !quoted;
    } else if (c == '.' && !quoted) {
      path.push_back(std::move(part));
      part.clear();
    } else {
      part += c;
    }
  }
  path.push_back(std::move(part));
  return path;
}

/// "t.a" -> "t_a": the columns of a join under one name each.
std::string Joined(const std::string& text) {
  return std::regex_replace(text, std::regex("\\b([ts])\\.(\\w)"), "$1_$2");
}

std::shared_ptr<arrow::Schema> Prefixed(const arrow::Schema& schema, const std::string& prefix) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields())
    fields.push_back(field->WithName(prefix + field->name()));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::Schema> Both(const arrow::Schema& left, const arrow::Schema& right) {
  arrow::FieldVector fields = left.fields();
  for (const auto& field : right.fields()) fields.push_back(field);
  return arrow::schema(std::move(fields));
}

/// One statement of one case.
class Statement {
 public:
  Statement(storage::Storage& corpus, const std::string& folder, Table& table,
            plan::TableExpressions& expressions)
      : corpus_(corpus), folder_(folder), table_(table), expressions_(expressions) {
    options_.expressions = &expressions;
  }

  Status Run(const std::string& kind, std::string sql, bool* known) {
    SLUICE_RETURN_NOT_OK(table_.Update().status());
    schema_ = table_.Current()->schema();
    if (sql.starts_with("INSERT")) return Insert(sql, known);
    if (kind == "delete") return Delete(sql, known);
    if (kind == "update") return Update(sql, known);
    if (kind == "merge") return Merge(sql, known);
    if (sql.starts_with("ALTER")) return Alter(sql, known);
    *known = false;
    return Status::OK();
  }

  Status AppendTxn(const std::string& description, bool* known) {
    const auto match = Match(
        description,
        R"(append rows id in \[(\d+),(\d+)\)(?: with)? b=(\d+) under (?:txn appId=)?(\S+) version[= ](\d+))");
    *known = match.has_value();
    if (!*known) return Status::OK();
    SLUICE_RETURN_NOT_OK(table_.Update().status());
    schema_ = table_.Current()->schema();
    options_.txn = AppTxn{(*match)[4].str(), std::stoll((*match)[5].str())};
    return Insert("INSERT INTO {t} SELECT id, " + (*match)[3].str() + " FROM range(" +
                      (*match)[1].str() + "," + (*match)[2].str() + ")",
                  known);
  }

 private:
  Status Unknown(bool* known) {
    *known = false;
    return Status::OK();
  }

  Result<RowCondition> Where(const std::string& text) {
    if (text.empty()) return RowCondition::Always();
    SLUICE_ASSIGN_OR_RETURN(const auto compiled, expressions_.CompileCondition(text, schema_));
    RowCondition condition;
    condition.holds = compiled.holds;
    condition.prunes = compiled.prunes;
    condition.text = text;
    return condition;
  }

  Result<std::shared_ptr<arrow::DataType>> TypeAt(const ColumnPath& path) const {
    std::shared_ptr<arrow::Field> found;
    SLUICE_RETURN_NOT_OK(EditFields(schema_->fields(), ColumnPath(path.begin(), path.end() - 1),
                                    [&](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
                                      const int index = FindFieldIndex(fields, path.back());
                                      if (index < 0) return Status::Invalid("no column");
                                      found = fields[static_cast<size_t>(index)];
                                      return fields;
                                    })
                             .status());
    return found->type();
  }

  Result<std::vector<Assignment>> Assignments(const std::string& text,
                                              const std::shared_ptr<arrow::Schema>& seen,
                                              bool joined) {
    std::vector<Assignment> assignments;
    for (const std::string& part : Split(text, ",")) {
      const size_t equals = part.find('=');
      Assignment assignment{PathOf(part.substr(0, equals)), nullptr};
      if (joined && assignment.path[0] == "t") assignment.path.erase(assignment.path.begin());
      SLUICE_ASSIGN_OR_RETURN(const auto type, TypeAt(assignment.path));
      const std::string value = Trimmed(part.substr(equals + 1));
      SLUICE_ASSIGN_OR_RETURN(assignment.value,
                              expressions_.Compile(joined ? Joined(value) : value, seen, type));
      assignments.push_back(std::move(assignment));
    }
    return assignments;
  }

  Status Delete(const std::string& sql, bool* known) {
    const auto match = Match(sql, R"(DELETE FROM \{t\}(?: WHERE (.*))?)");
    if (!match.has_value()) return Unknown(known);
    SLUICE_ASSIGN_OR_RETURN(const auto where, Where((*match)[1].str()));
    return DeleteRows(table_, where, options_).status();
  }

  Status Update(const std::string& sql, bool* known) {
    const auto match = Match(sql, R"(UPDATE \{t\} SET (.*?)(?: WHERE (.*))?)");
    if (!match.has_value()) return Unknown(known);
    SLUICE_ASSIGN_OR_RETURN(const auto where, Where((*match)[2].str()));
    SLUICE_ASSIGN_OR_RETURN(const auto assignments, Assignments((*match)[1].str(), schema_, false));
    return UpdateRows(table_, where, assignments, options_).status();
  }

  // ---- MERGE ----

  Result<BatchPtr> Source(const std::string& name) {
    const std::string path = folder_ + "/sources/" + name + ".parquet";
    SLUICE_ASSIGN_OR_RETURN(const auto text, corpus_.Read(path));
    const auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(text));
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    SLUICE_ASSIGN_OR_RETURN(auto rows, reader->ReadTable());
    SLUICE_ASSIGN_OR_RETURN(auto batch, rows->CombineChunksToBatch());
    SLUICE_ASSIGN_OR_RETURN(const auto schema, TableSchemaOf(*batch->schema()));
    arrow::ArrayVector columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(const auto cast,
                              arrow::compute::Cast(batch->column(i), schema->field(i)->type()));
      columns.push_back(cast.make_array());
    }
    return arrow::RecordBatch::Make(schema->WithMetadata(nullptr), batch->num_rows(), columns);
  }

  Status Merge(const std::string& sql, bool* known) {
    const Texts parts = Split(sql, "WHEN ");
    const auto head = Match(
        parts[0],
        R"(MERGE (WITH SCHEMA EVOLUTION )?INTO \{t\} t USING (?:(\w+)|\(SELECT \* FROM (\w+) WHERE false\)) s ON (.*))");
    if (!head.has_value()) return Unknown(known);
    const bool none = (*head)[3].matched;
    SLUICE_ASSIGN_OR_RETURN(auto source, Source((*head)[none ? 3 : 2].str()));
    if (none) source = source->Slice(0, 0);
    MergeRequest request;
    request.source_schema = source->schema();
    request.source = {source};
    request.text = (*head)[4].str();
    if ((*head)[1].matched) {
      SLUICE_ASSIGN_OR_RETURN(request.new_schema,
                              MergeSchemas(*schema_, *Evolving(parts, *source->schema()), true));
      schema_ = request.new_schema;
    }
    SLUICE_RETURN_NOT_OK(On(request.text, *source->schema(), &request));
    for (size_t i = 1; i < parts.size(); ++i)
      SLUICE_RETURN_NOT_OK(Clause(parts[i], *source->schema(), &request, known));
    if (!*known) return Status::OK();
    return MergeRows(table_, request, options_).status();
  }

  /// The columns of the source that clauses assign: with `*` all of them.
  static std::shared_ptr<arrow::Schema> Evolving(const Texts& clauses,
                                                 const arrow::Schema& source) {
    arrow::FieldVector fields;
    for (const auto& field : source.fields()) {
      const bool used = std::any_of(clauses.begin(), clauses.end(), [&](const std::string& clause) {
        return clause.ends_with("*") ||
               clause.find("SET " + field->name() + "=") != std::string::npos;
      });
      if (used) fields.push_back(field);
    }
    return arrow::schema(fields);
  }

  Status On(const std::string& text, const arrow::Schema& source, MergeRequest* request) {
    const auto target_schema = Prefixed(*schema_, "t_");
    const auto source_schema = Prefixed(source, "s_");
    std::string rest;
    for (const std::string& term : Split(text, " AND ")) {
      const auto match = Match(term, R"(t\.(\w+)\s*=\s*s\.(\w+))");
      if (!match.has_value()) {
        rest += (rest.empty() ? "" : " AND ") + term;
        continue;
      }
      const auto type = schema_->GetFieldByName((*match)[1].str())->type();
      JoinKey key;
      SLUICE_ASSIGN_OR_RETURN(key.target,
                              expressions_.Compile("t_" + (*match)[1].str(), target_schema, type));
      SLUICE_ASSIGN_OR_RETURN(key.source,
                              expressions_.Compile("s_" + (*match)[2].str(), source_schema, type));
      key.target_column = (*match)[1].str();
      request->keys.push_back(std::move(key));
    }
    if (rest.empty()) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(
        request->condition,
        expressions_.Compile(Joined(rest), Both(*target_schema, *source_schema), arrow::boolean()));
    return Status::OK();
  }

  Status Clause(const std::string& text, const arrow::Schema& source, MergeRequest* request,
                bool* known) {
    const auto match = Match(
        text,
        R"((NOT )?MATCHED( BY SOURCE)?(?: AND (.*?))? THEN (DELETE|UPDATE SET|INSERT)\s*(.*))");
    if (!match.has_value()) return Unknown(known);
    const bool inserts = (*match)[1].matched && !(*match)[2].matched;
    const bool by_source = (*match)[2].matched;
    const auto target_schema = Prefixed(*schema_, "t_");
    const auto source_schema = Prefixed(source, "s_");
    const auto seen = inserts     ? source_schema
                      : by_source ? target_schema
                                  : Both(*target_schema, *source_schema);
    MergeClause clause;
    clause.text = (*match)[3].str();
    if ((*match)[3].matched) {
      SLUICE_ASSIGN_OR_RETURN(clause.condition,
                              expressions_.Compile(Joined(clause.text), seen, arrow::boolean()));
    }
    const std::string action = (*match)[4].str();
    const std::string rest = (*match)[5].str();
    clause.kind = action == "DELETE"   ? MergeClause::Kind::kDelete
                  : action == "INSERT" ? MergeClause::Kind::kInsert
                                       : MergeClause::Kind::kUpdate;
    std::string assignments = rest;
    if (rest == "*") {
      assignments.clear();
      for (const auto& field : source.fields()) {
        if (FindFieldIndex(schema_->fields(), field->name()) >= 0)
          assignments += (assignments.empty() ? "" : ", ") + field->name() + "=s." + field->name();
      }
    } else if (action == "INSERT") {
      const auto lists = Match(rest, R"(\((.*?)\) VALUES \((.*)\))");
      if (!lists.has_value()) return Unknown(known);
      const Texts columns = Split((*lists)[1].str(), ",");
      const Texts values = Split((*lists)[2].str(), ",");
      assignments.clear();
      for (size_t i = 0; i < columns.size(); ++i)
        assignments += (i == 0 ? "" : ", ") + columns[i] + "=" + values[i];
    }
    if (clause.kind != MergeClause::Kind::kDelete) {
      SLUICE_ASSIGN_OR_RETURN(clause.assignments, Assignments(assignments, seen, true));
    }
    auto& clauses = inserts     ? request->not_matched
                    : by_source ? request->not_matched_by_source
                                : request->matched;
    clauses.push_back(std::move(clause));
    return Status::OK();
  }

  // ---- INSERT ----

  Status Insert(const std::string& sql, bool* known) {
    const auto match = Match(
        sql,
        R"(INSERT (INTO|OVERWRITE) \{t\}\s*(?:\(([^)]*)\)\s*)?(?:REPLACE WHERE (.*?) )?(VALUES|SELECT)([^]*))");
    if (!match.has_value()) return Unknown(known);
    Texts columns = schema_->field_names();
    if ((*match)[2].matched) columns = Split((*match)[2].str(), ",");
    const bool values = (*match)[4].str() == "VALUES";
    std::optional<BatchPtr> rows;
    if (values) {
      SLUICE_ASSIGN_OR_RETURN(rows, Values((*match)[5].str(), columns));
    } else {
      SLUICE_ASSIGN_OR_RETURN(rows, Select((*match)[5].str(), columns));
    }
    if (!rows.has_value()) return Unknown(known);
    WriteRequest request;
    if ((*match)[1].str() == "OVERWRITE") request.mode = WriteMode::kOverwrite;
    if ((*match)[3].matched) {
      request.mode = WriteMode::kReplaceWhere;
      SLUICE_ASSIGN_OR_RETURN(request.replace_where, Where((*match)[3].str()));
    }
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            arrow::RecordBatchReader::Make({*rows}, (*rows)->schema()));
    request.rows = reader.get();
    return WriteRows(table_, request, options_).status();
  }

  Result<BatchPtr> Evaluated(const Texts& values, const Texts& columns, const BatchPtr& input) {
    if (values.size() != columns.size()) return Status::Invalid("another number of columns");
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (size_t i = 0; i < columns.size(); ++i) {
      const std::string name = Unquoted(columns[i]);
      const auto field = schema_->GetFieldByName(name);
      if (field == nullptr) return Status::Invalid("no column ", name);
      SLUICE_ASSIGN_OR_RETURN(const auto value,
                              expressions_.Compile(values[i], input->schema(), field->type()));
      SLUICE_ASSIGN_OR_RETURN(auto array, value(input));
      fields.push_back(arrow::field(name, array->type()));
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), input->num_rows(), arrays);
  }

  static Result<BatchPtr> Range(int64_t begin, int64_t end) {
    arrow::Int64Builder ids;
    for (int64_t id = begin; id < end; ++id) SLUICE_RETURN_NOT_OK(ids.Append(id));
    SLUICE_ASSIGN_OR_RETURN(auto array, ids.Finish());
    return arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::int64())}),
                                    std::max<int64_t>(end - begin, 0), {array});
  }

  Result<std::optional<BatchPtr>> Values(const std::string& text, const Texts& columns) {
    SLUICE_ASSIGN_OR_RETURN(const auto one, Range(0, 1));
    arrow::RecordBatchVector rows;
    for (const std::string& row : Split(Trimmed(text), ",")) {
      SLUICE_ASSIGN_OR_RETURN(auto batch,
                              Evaluated(Split(row.substr(1, row.size() - 2), ","), columns, one));
      rows.push_back(std::move(batch));
    }
    SLUICE_ASSIGN_OR_RETURN(auto all, arrow::ConcatenateRecordBatches(rows));
    return std::optional<BatchPtr>(std::move(all));
  }

  Result<std::optional<BatchPtr>> Select(const std::string& text, const Texts& columns) {
    const auto match =
        Match(Trimmed(text), R"(([^]*) FROM range\((\d+)(?:,\s*(\d+))?(?:,[^)]*)?\))");
    if (!match.has_value()) return std::optional<BatchPtr>();
    const bool two = (*match)[3].matched;
    const int64_t first = std::stoll((*match)[2].str());
    SLUICE_ASSIGN_OR_RETURN(const auto input,
                            Range(two ? first : 0, two ? std::stoll((*match)[3].str()) : first));
    SLUICE_ASSIGN_OR_RETURN(auto rows, Evaluated(Split((*match)[1].str(), ","), columns, input));
    return std::optional<BatchPtr>(std::move(rows));
  }

  // ---- ALTER TABLE ----

  Status Alter(const std::string& sql, bool* known) {
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} RENAME COLUMN (.*) TO (.*))"))
      return RenameColumn(table_, PathOf((*m)[1].str()), Unquoted((*m)[2].str())).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} DROP COLUMN (.*))"))
      return DropColumns(table_, {PathOf((*m)[1].str())}).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} ADD CONSTRAINT (\w+) CHECK \((.*)\))"))
      return AddConstraint(table_, (*m)[1].str(), (*m)[2].str(), expressions_).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} DROP CONSTRAINT (\w+))"))
      return DropConstraint(table_, (*m)[1].str(), false).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} SET TBLPROPERTIES\s*\((.*)\))"))
      return SetProperties(table_, Properties((*m)[1].str())).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} UNSET TBLPROPERTIES\s*\('(.*)'\))"))
      return UnsetProperties(table_, {(*m)[1].str()}, true).status();
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} ADD COLUMN \((.*)\))"))
      return AddOne((*m)[1].str());
    if (const auto m = Match(sql, R"(ALTER TABLE \{t\} ALTER COLUMN (\S+) (.*))"))
      return Change((*m)[1].str(), (*m)[2].str(), known);
    return Unknown(known);
  }

  static StringMap Properties(const std::string& text) {
    StringMap properties;
    for (const std::string& part : Split(text, ",")) {
      if (const auto m = Match(part, R"('(.*)'='(.*)')")) properties[(*m)[1].str()] = (*m)[2].str();
    }
    return properties;
  }

  static std::optional<ColumnPosition> PositionOf(const std::string& text) {
    if (text == "FIRST") return ColumnPosition{true, ""};
    if (text.starts_with("AFTER ")) return ColumnPosition{false, text.substr(6)};
    return std::nullopt;
  }

  Status AddOne(const std::string& text) {
    const auto match = Match(text, R"((`[^`]*`|\S+) (.*?)( FIRST| AFTER \w+)?)");
    NewColumn column;
    column.parent = PathOf((*match)[1].str());
    const std::string name = column.parent.back();
    column.parent.pop_back();
    SLUICE_ASSIGN_OR_RETURN(const auto type, sql::ParseDataType((*match)[2].str()));
    column.field = arrow::field(name, type);
    column.position = PositionOf(Trimmed((*match)[3].str()));
    return AddColumns(table_, {column}).status();
  }

  Status Change(const std::string& path, const std::string& what, bool* known) {
    ColumnChange change;
    change.path = PathOf(path);
    change.position = PositionOf(what);
    if (const auto m = Match(what, "TYPE (.*)")) {
      SLUICE_ASSIGN_OR_RETURN(change.type, sql::ParseDataType((*m)[1].str()));
    } else if (const auto comment = Match(what, "COMMENT '(.*)'")) {
      change.comment = (*comment)[1].str();
    } else if (what == "DROP NOT NULL") {
      change.drop_not_null = true;
    } else if (!change.position.has_value()) {
      return Unknown(known);
    }
    return ChangeColumn(table_, change).status();
  }

  storage::Storage& corpus_;
  const std::string folder_;
  Table& table_;
  plan::TableExpressions& expressions_;
  WriteOptions options_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

bool IsReplayed(const Json& operation) {
  static const std::set<std::string> kKinds = {
      "add-column",    "add-constraint", "alter-cluster-by", "alter-column",
      "append",        "append-txn",     "change-type",      "checkpoint",
      "delete",        "drop-column",    "drop-constraint",  "merge",
      "optimize",      "optimize-purge", "overwrite-full",   "overwrite-replace-where",
      "rename-column", "restore",        "set-properties",   "unset-properties",
      "update",        "zorder"};
  return kKinds.contains(operation["kind"].get<std::string>()) &&
         operation["version_before"].get<int64_t>() >= 0;
}

Status RunCorpusOperation(storage::Storage& corpus, const std::string& folder,
                          const Json& operation, Table& table, plan::TableExpressions& expressions,
                          bool* known) {
  *known = true;
  if (const auto upkeep = RunCorpusUpkeep(operation, table, expressions)) return *upkeep;
  Statement statement(corpus, folder, table, expressions);
  if (operation["kind"] == "append-txn")
    return statement.AppendTxn(operation["description"].get<std::string>(), known);
  if (!operation.contains("sql")) {
    *known = false;
    return Status::OK();
  }
  return statement.Run(operation["kind"].get<std::string>(), operation["sql"].get<std::string>(),
                       known);
}

}  // namespace sluice::delta
