#include "plan/project_spec.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace sluice::plan {
namespace {

namespace fs = std::filesystem;

Status SpecError(std::string_view code, const std::string& path, const YAML::Node& node,
                 const std::string& what, std::string hint = "") {
  std::string where = path;
  if (node.IsDefined() && !node.Mark().is_null()) {
    where +=
        ":" + std::to_string(node.Mark().line + 1) + ":" + std::to_string(node.Mark().column + 1);
  }
  return MakeError(code, where + ": " + what, std::move(hint));
}

/// Every key of `map` must be in `known`.
Status CheckKeys(const YAML::Node& map, const std::string& path,
                 const std::set<std::string>& known) {
  if (!map.IsMap())
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, map,
                     "a mapping of keys to values is expected");
  for (const auto& entry : map) {
    const std::string key = entry.first.as<std::string>();
    if (known.count(key) != 0) continue;
    std::string list;
    for (const std::string& name : known) list += (list.empty() ? "" : ", ") + name;
    return SpecError("PIPELINE_SPEC_UNEXPECTED_FIELD", path, entry.first,
                     "unexpected field: " + key, "known fields are " + list);
  }
  return Status::OK();
}

Status ReadString(const YAML::Node& map, const char* key, const std::string& path,
                  std::string* out) {
  const YAML::Node node = map[key];
  if (!node.IsDefined() || node.IsNull()) return Status::OK();
  if (!node.IsScalar()) {
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, node,
                     std::string("a string is expected in field ") + key);
  }
  *out = node.as<std::string>();
  return Status::OK();
}

Status ReadInteger(const YAML::Node& map, const char* key, int64_t least, const std::string& path,
                   int64_t* out) {
  const YAML::Node node = map[key];
  if (!node.IsDefined()) return Status::OK();
  if (!YAML::convert<int64_t>::decode(node, *out) || *out < least) {
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, node,
                     std::string("a whole number of at least ") + std::to_string(least) +
                         " is expected in field " + key);
  }
  return Status::OK();
}

Status ReadBool(const YAML::Node& map, const char* key, const std::string& path, bool* out) {
  const YAML::Node node = map[key];
  if (!node.IsDefined()) return Status::OK();
  if (!YAML::convert<bool>::decode(node, *out)) {
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, node,
                     std::string("true or false is expected in field ") + key);
  }
  return Status::OK();
}

Result<YAML::Node> LoadYaml(const std::string& path) {
  try {
    return YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    return MakeError("PIPELINE_FILE_UNREADABLE", "cannot read file: " + path,
                     "check that it exists and its permissions");
  } catch (const YAML::Exception& error) {
    return MakeError("PIPELINE_SPEC_SYNTAX", path + ":" + std::to_string(error.mark.line + 1) +
                                                 ":" + std::to_string(error.mark.column + 1) +
                                                 ": not valid YAML: " + error.msg);
  }
}

/// A folder given as file:// URI, absolute path, or path relative to the project.
Result<std::string> LocalFolder(const std::string& text, const std::string& root,
                                const std::string& path, const char* field) {
  std::string folder = text;
  if (const size_t scheme = folder.find("://"); scheme != std::string::npos) {
    if (folder.substr(0, scheme) != "file") {
      return MakeError("NOT_SUPPORTED_YET",
                       path + ": " + field + " in an object store is not supported yet: " + text,
                       "use a local folder: file:///path");
    }
    folder = folder.substr(scheme + 3);
  } else if (folder.rfind("file:/", 0) == 0) {
    folder = folder.substr(5);
  }
  return fs::absolute(fs::path(root) / folder).lexically_normal().string();
}

Status ReadConfiguration(const YAML::Node& node, const std::string& path, ProjectSpec* spec) {
  if (!node.IsDefined() || node.IsNull()) return Status::OK();
  if (!node.IsMap())
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, node, "configuration must be a mapping");
  for (const auto& entry : node) {
    if (!entry.second.IsScalar()) {
      return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, entry.second,
                       "a configuration value must be a string: " + entry.first.as<std::string>());
    }
    spec->configuration[entry.first.as<std::string>()] = entry.second.as<std::string>();
  }
  return Status::OK();
}

Status ReadLibraries(const YAML::Node& node, const std::string& path, ProjectSpec* spec) {
  if (!node.IsDefined() || node.IsNull()) {
    spec->includes.emplace_back("transformations/**");
    return Status::OK();
  }
  if (!node.IsSequence())
    return SpecError("PIPELINE_SPEC_FIELD_TYPE", path, node, "libraries must be a list");
  for (const YAML::Node& library : node) {
    SLUICE_RETURN_NOT_OK(CheckKeys(library, path, {"glob"}));
    SLUICE_RETURN_NOT_OK(CheckKeys(library["glob"], path, {"include"}));
    std::string include;
    SLUICE_RETURN_NOT_OK(ReadString(library["glob"], "include", path, &include));
    const std::string plain = include.size() >= 3 && include.ends_with("/**")
                                  ? include.substr(0, include.size() - 3)
                                  : include;
    if (plain.empty() || plain.find_first_of("*?[") != std::string::npos) {
      return SpecError("PIPELINE_SPEC_INVALID_GLOB_PATTERN", path, library["glob"],
                       "not a file path or a folder followed by /**: " + include);
    }
    spec->includes.push_back(include);
  }
  return Status::OK();
}

Status ReadEngineSettings(ProjectSpec* spec) {
  std::string warehouse = "warehouse";
  const std::string path = spec->root + "/sluice.yml";
  if (fs::exists(path)) {
    SLUICE_ASSIGN_OR_RETURN(YAML::Node node, LoadYaml(path));
    if (!node.IsNull()) {
      SLUICE_RETURN_NOT_OK(
          CheckKeys(node, path, {"warehouse", "continuous", "event_log", "limits"}));
      SLUICE_RETURN_NOT_OK(ReadString(node, "warehouse", path, &warehouse));
      SLUICE_RETURN_NOT_OK(ReadBool(node, "continuous", path, &spec->engine.continuous));
      if (node["event_log"].IsDefined() && node["event_log"].IsScalar() &&
          node["event_log"].Scalar() == "false") {
        spec->engine.event_log_enabled = false;
      } else {
        SLUICE_RETURN_NOT_OK(ReadString(node, "event_log", path, &spec->engine.event_log));
      }
      if (const YAML::Node limits = node["limits"]; limits.IsDefined()) {
        EngineSettings& engine = spec->engine;
        SLUICE_RETURN_NOT_OK(CheckKeys(
            limits, path,
            {"max_rows_per_epoch", "max_bytes_per_epoch", "hand_off_bytes", "state_limit_bytes"}));
        SLUICE_RETURN_NOT_OK(
            ReadInteger(limits, "max_rows_per_epoch", 1, path, &engine.max_rows_per_epoch));
        SLUICE_RETURN_NOT_OK(
            ReadInteger(limits, "max_bytes_per_epoch", 1 << 20, path, &engine.max_bytes_per_epoch));
        SLUICE_RETURN_NOT_OK(
            ReadInteger(limits, "hand_off_bytes", 0, path, &engine.hand_off_bytes));
        SLUICE_RETURN_NOT_OK(
            ReadInteger(limits, "state_limit_bytes", 1 << 20, path, &engine.state_limit_bytes));
      }
    }
  }
  SLUICE_ASSIGN_OR_RETURN(spec->engine.warehouse,
                          LocalFolder(warehouse, spec->root, path, "warehouse"));
  return Status::OK();
}

Result<ProjectFile> ReadProjectFile(const ProjectSpec& spec, const std::string& relative) {
  std::ifstream in(fs::path(spec.root) / relative, std::ios::binary);
  if (!in) {
    return MakeError("PIPELINE_FILE_UNREADABLE", "cannot read pipeline file: " + relative,
                     "libraries of the spec name it; check the path");
  }
  std::stringstream text;
  text << in.rdbuf();
  return ProjectFile{relative, text.str()};
}

}  // namespace

Result<std::string> FindSpecFile(const std::string& start) {
  for (fs::path folder = fs::absolute(start).lexically_normal();; folder = folder.parent_path()) {
    const fs::path yml = folder / "spark-pipeline.yml";
    const fs::path yaml = folder / "spark-pipeline.yaml";
    if (fs::exists(yml) && fs::exists(yaml)) {
      return MakeError("MULTIPLE_PIPELINE_SPEC_FILES_FOUND",
                       "more than one pipeline spec file in folder: " + folder.string(),
                       "keep one, or name it with --spec");
    }
    if (fs::exists(yml)) return yml.string();
    if (fs::exists(yaml)) return yaml.string();
    if (folder == folder.root_path()) break;
  }
  return MakeError("PIPELINE_SPEC_FILE_NOT_FOUND",
                   "no spark-pipeline.yml or spark-pipeline.yaml in this folder or above: " + start,
                   "name it with --spec, or make a project with 'sluice init --name NAME'");
}

Result<ProjectSpec> LoadProjectSpec(const std::string& spec_path,
                                    const std::map<std::string, std::string>& overrides) {
  SLUICE_ASSIGN_OR_RETURN(YAML::Node node, LoadYaml(spec_path));
  SLUICE_RETURN_NOT_OK(CheckKeys(
      node, spec_path,
      {"name", "storage", "catalog", "database", "schema", "configuration", "libraries"}));
  ProjectSpec spec;
  spec.root = fs::absolute(spec_path).lexically_normal().parent_path().string();
  for (const char* required : {"name", "storage"}) {
    if (!node[required].IsDefined()) {
      return SpecError("PIPELINE_SPEC_MISSING_REQUIRED_FIELD", spec_path, node,
                       std::string("required field is missing: ") + required);
    }
  }
  if (node["database"].IsDefined() && node["schema"].IsDefined()) {
    return SpecError("PIPELINE_SPEC_UNEXPECTED_FIELD", spec_path, node["schema"],
                     "database and schema are the same field", "keep one of them");
  }
  std::string storage;
  SLUICE_RETURN_NOT_OK(ReadString(node, "name", spec_path, &spec.name));
  SLUICE_RETURN_NOT_OK(ReadString(node, "storage", spec_path, &storage));
  SLUICE_RETURN_NOT_OK(ReadString(node, "catalog", spec_path, &spec.catalog));
  SLUICE_RETURN_NOT_OK(ReadString(node, "database", spec_path, &spec.database));
  SLUICE_RETURN_NOT_OK(ReadString(node, "schema", spec_path, &spec.database));
  SLUICE_ASSIGN_OR_RETURN(spec.storage, LocalFolder(storage, spec.root, spec_path, "storage"));
  SLUICE_RETURN_NOT_OK(ReadConfiguration(node["configuration"], spec_path, &spec));
  SLUICE_RETURN_NOT_OK(ReadLibraries(node["libraries"], spec_path, &spec));
  for (const auto& [key, value] : overrides) spec.configuration[key] = value;
  SLUICE_RETURN_NOT_OK(ReadEngineSettings(&spec));
  return spec;
}

Result<std::vector<ProjectFile>> LoadProjectFiles(const ProjectSpec& spec) {
  std::vector<std::string> paths;
  for (const std::string& include : spec.includes) {
    if (!include.ends_with("/**")) {
      paths.push_back(include);
      continue;
    }
    const fs::path folder = fs::path(spec.root) / include.substr(0, include.size() - 3);
    std::vector<std::string> found;
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_regular_file()) found.push_back(fs::relative(it->path(), spec.root).string());
    }
    if (error) {
      return MakeError("PIPELINE_FILE_UNREADABLE",
                       "cannot read folder of pipeline files: " + include + ": " + error.message());
    }
    std::sort(found.begin(), found.end());
    paths.insert(paths.end(), found.begin(), found.end());
  }
  std::vector<ProjectFile> files;
  for (const std::string& path : paths) {
    if (path.ends_with(".py")) {
      return MakeError("NOT_SUPPORTED_YET", "Python pipeline files are not supported yet: " + path,
                       "write the datasets in SQL");
    }
    if (!path.ends_with(".sql")) {
      if (fs::path(path).filename().string().front() == '.') continue;
      return MakeError("PIPELINE_UNSUPPORTED_DEFINITIONS_FILE_EXTENSION",
                       "not a .sql file: " + path, "libraries take .sql files only");
    }
    SLUICE_ASSIGN_OR_RETURN(ProjectFile file, ReadProjectFile(spec, path));
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace sluice::plan
