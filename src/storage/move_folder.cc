#include "storage/move_folder.h"

namespace sluice::storage {

Status MoveFolder(Storage& storage, const std::string& from, const std::string& to) {
  if (auto* mover = dynamic_cast<MovesFolders*>(&storage)) return mover->MoveFolder(from, to);
  return MakeError("NOT_SUPPORTED_YET",
                   "not supported yet: moving a folder within this store: " + from,
                   "copy the table: CREATE TABLE ... AS SELECT");
}

}  // namespace sluice::storage
