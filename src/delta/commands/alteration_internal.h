// What the commands that change a table's columns share. One thread.
#pragma once

#include <memory>
#include <string>

#include "delta/columns/schema_edit.h"
#include "delta/commands/alter.h"
#include "delta/commands/schema_evolution.h"
#include "delta/files/write_options.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {

/// A change of metadata in the making.
class Alteration {
 public:
  static Result<Alteration> Begin(Table& table) {
    SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
    Alteration alteration(table, std::move(snapshot));
    SLUICE_RETURN_NOT_OK(BeginWrite(WriteOptions(), &alteration.transaction_).status());
    return alteration;
  }

  const Snapshot& snapshot() const { return *transaction_.read_snapshot(); }
  Metadata& metadata() { return metadata_; }
  Transaction& transaction() { return transaction_; }

  Status EditColumns(const ColumnPath& path, const FieldsEdit& edit) {
    SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaFromJson(metadata_.schema_string));
    SLUICE_ASSIGN_OR_RETURN(auto fields, EditFields(schema->fields(), path, edit));
    return SetSchema(arrow::schema(std::move(fields)), &metadata_);
  }

  Result<CommitResult> Commit(const char* operation, StringMap parameters) {
    transaction_.SetMetadata(metadata_);
    transaction_.SetOperation(operation, std::move(parameters));
    return transaction_.Commit();
  }

 private:
  Alteration(Table& table, std::shared_ptr<const Snapshot> snapshot)
      : transaction_(table.NewTransaction(snapshot)), metadata_(snapshot->metadata()) {}

  Transaction transaction_;
  Metadata metadata_;
};

/// A field as the schema JSON shows it.
Result<std::string> FieldJson(const std::shared_ptr<arrow::Field>& field);
/// Nothing that the table computes may rest on `path`.
Status CheckIndependent(const Snapshot& snapshot, const ColumnPath& path);
/// The clustering domain names columns physically.
Status CheckNotClustered(const Snapshot& snapshot, const arrow::Field& field);
bool IsPartitionColumn(const Snapshot& snapshot, const std::string& name);

}  // namespace sluice::delta
