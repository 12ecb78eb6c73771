// `fmt`: lays out SQL files.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "app/commands.h"
#include "app/project.h"
#include "sql/print/format.h"

namespace sluice::app {
namespace {

/// Through a file beside it, so that a full disk does not cost the text.
Status ReplaceFile(const std::string& path, const std::string& text) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  const fs::path fresh = target.string() + ".fmt";
  std::ofstream out(fresh, std::ios::binary);
  out << text;
  out.close();
  if (out && !error) fs::permissions(fresh, fs::status(target, error).permissions(), error);
  if (out && !error) fs::rename(fresh, target, error);
  if (!out || error) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    return MakeError("STORAGE_IO", "cannot write file: " + path, "check permissions and space");
  }
  return Status::OK();
}

/// Whether the file was, or with `check` would be, changed.
Result<bool> FormatFile(const std::string& path, bool check) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadText(path, "check the path given to fmt"));
  SLUICE_ASSIGN_OR_RETURN(const std::string formatted,
                          sql::FormatSql(path == "-" ? "" : path, text));
  if (path == "-" && !check) {
    std::fwrite(formatted.data(), 1, formatted.size(), stdout);
    return false;
  }
  if (formatted == text) return false;
  if (!check) SLUICE_RETURN_NOT_OK(ReplaceFile(path, formatted));
  return true;
}

Result<std::vector<std::string>> ProjectFiles(const std::string& spec) {
  ProjectOptions options;
  options.spec = spec;
  SLUICE_ASSIGN_OR_RETURN(auto project, Project::Open(options));
  SLUICE_ASSIGN_OR_RETURN(auto files, plan::LoadProjectFiles(project->spec()));
  std::vector<std::string> paths;
  for (const plan::ProjectFile& file : files)
    paths.push_back(project->spec().root + "/" + file.path);
  return paths;
}

}  // namespace

int RunFormat(const FormatOptions& options) {
  std::vector<std::string> files = options.files;
  if (files.empty()) {
    auto found = ProjectFiles(options.spec);
    if (!found.ok()) return Fail(found.status(), kDefinitionError);
    files = *found;
  }
  int exit_code = kOk;
  for (const std::string& path : files) {
    const auto changed = FormatFile(path, options.check);
    if (!changed.ok()) {
      exit_code = Fail(changed.status(), kDefinitionError);
    } else if (*changed) {
      std::printf("%s %s\n", options.check ? "would change" : "formatted", path.c_str());
      if (options.check) exit_code = kDefinitionError;
    }
  }
  return exit_code;
}

}  // namespace sluice::app
