#include "delta/files/write_options.h"

#include "delta/log/snapshot.h"
#include "delta/log/transaction.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {

Result<bool> BeginWrite(const WriteOptions& options, Transaction* transaction) {
  const Snapshot& snapshot = *transaction->read_snapshot();
  SLUICE_RETURN_NOT_OK(WithContext(CheckWritable(snapshot.protocol(), snapshot.metadata(),
                                                 *snapshot.schema(), /*rules_checked=*/true),
                                   "table " + snapshot.table_path()));
  transaction->SetRulesChecked();
  if (options.user_metadata.has_value()) transaction->SetUserMetadata(*options.user_metadata);
  if (!options.txn.has_value()) return true;
  const auto stored = snapshot.TxnVersion(options.txn->app_id);
  if (stored.has_value() && *stored >= options.txn->version) return false;
  transaction->RequireTxn(options.txn->app_id, stored);
  transaction->SetTxn(options.txn->app_id, options.txn->version);
  return true;
}

Status CheckMayRemoveRows(const Snapshot& snapshot) {
  if (!snapshot.properties().append_only) return Status::OK();
  return MakeError("DELTA_APPEND_ONLY",
                   "table takes appends only (delta.appendOnly): " + snapshot.table_path(),
                   "unset delta.appendOnly to change or delete rows");
}

}  // namespace sluice::delta
