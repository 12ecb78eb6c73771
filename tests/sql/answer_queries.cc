// Answers the queries of standard input: lines {"table", "sql"} and {"sql"} as JSON; one line of
// JSON for each.
#include <iostream>

#include "query_answers.h"

int main() {
  sluice::sql::QueryWorld world;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto asked = nlohmann::json::parse(line);
    nlohmann::json answer;
    if (asked.contains("table")) {
      const auto status = world.AddTable(asked.at("table"), asked.at("sql"));
      if (!status.ok()) answer["error"] = status.ToString();
    } else {
      answer = world.Answer(asked.at("sql"));
    }
    std::cout << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }
}
