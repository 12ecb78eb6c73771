// What lasts from one statement of ad hoc SQL to the next: the schema of names without one, the
// settings, the temporary views. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "plan/project_spec.h"
#include "plan/view_definition.h"

namespace sluice::statements {

class Session {
 public:
  explicit Session(const plan::ProjectSpec& project) : given_(project), spec_(project) {}

  /// The project with the schema and the settings of now. Lives as long as the session.
  const plan::ProjectSpec& spec() const { return spec_; }
  /// The schema that the session began with.
  const std::string& first_schema() const { return given_.database; }

  void UseSchema(std::string schema) { spec_.database = std::move(schema); }
  void Set(const std::string& key, std::string value) {
    spec_.configuration[key] = std::move(value);
  }
  /// Back to what the project says.
  void Reset(const std::string& key);
  void ResetAll() { spec_.configuration = given_.configuration; }

  plan::TemporaryViews& views() { return views_; }
  const plan::TemporaryViews& views() const { return views_; }

 private:
  const plan::ProjectSpec given_;
  plan::ProjectSpec spec_;
  plan::TemporaryViews views_;
};

}  // namespace sluice::statements
