#include "delta/log/first_commit.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {

namespace {

Status Taken(const std::string& table_path) {
  return MakeError("DELTA_TABLE_EXISTS", "there is a Delta table already at " + table_path,
                   "open it");
}

}  // namespace

Status CheckAbsent(const TableContext& context, const std::string& table_path) {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, Table::Exists(context.storage, table_path));
  return exists ? Taken(table_path) : Status::OK();
}

Status PutFirstCommit(const TableContext& context, const std::string& table_path,
                      const TableProperties& properties, CommitInfo info,
                      const std::vector<Action>& actions) {
  SLUICE_RETURN_NOT_OK(CheckAbsent(context, table_path));
  info.timestamp_ms = context.clock.NowMicros() / 1000;
  if (properties.enable_in_commit_timestamps) info.in_commit_timestamp_ms = info.timestamp_ms;
  info.isolation_level = "Serializable";
  if (!info.is_blind_append.has_value()) info.is_blind_append = false;
  info.engine_info = kEngineInfo;
  std::string text;
  AppendActionJson(info, &text);
  for (const Action& action : actions) AppendActionJson(action, &text);
  const std::string path = CommitPath(table_path, TableVersion(0));
  const Status put = context.storage.PutIfAbsent(path, text);
  if (put.ok()) return put;
  const auto found = context.storage.Read(path);  // the reply may have been lost
  if (!found.ok()) return put;
  return found->find(info.txn_id) == std::string::npos ? Taken(table_path) : Status::OK();
}

}  // namespace sluice::delta
