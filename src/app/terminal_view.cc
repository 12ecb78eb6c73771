#include "app/terminal_view.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/cell_text.h"
#include "app/commands.h"

namespace sluice::app {
namespace {

std::string Watermark(TimestampMicros watermark) {
  return watermark == kNoTimestamp ? "-" : TimestampText(watermark);
}

std::string Line(const engine::FlowStatus& flow) {
  const std::string lag = flow.lag < 0 ? "-" : ShortNumber(static_cast<double>(flow.lag));
  return fmt::format("{:<34} {:<10} {:>9} {:>9} {:>8} {:>8} {:>7} ms  {}", flow.name.substr(0, 34),
                     engine::FlowStateName(flow.state), ShortNumber(flow.rows_per_second),
                     ShortNumber(static_cast<double>(flow.output_rows)), lag, flow.epochs,
                     flow.last_epoch_micros / 1000,
                     flow.waits_for.empty() ? Watermark(flow.watermark) : flow.waits_for);
}

void PrintExpectations(const engine::FlowStatus& flow) {
  for (const auto& [name, count] : flow.expectations) {
    std::printf("    expectation %-28s passed %12lld  failed %10lld\n", name.c_str(),
                static_cast<long long>(count.passed), static_cast<long long>(count.failed));
  }
}

}  // namespace

std::string ShortNumber(double value) {
  if (value >= 9.995e5) return fmt::format("{:.2f} M", value / 1e6);
  if (value >= 9.95e3) return fmt::format("{:.0f} k", value / 1e3);
  return fmt::format("{:.0f}", value);
}

void TerminalView::OnState(const engine::FlowStatus& status) {
  MutexLock lock(mutex_);
  const auto found = shown_.find(status.name);
  if (found != shown_.end() && found->second == status.state) return;
  const bool first = found == shown_.end();
  shown_[status.name] = status.state;
  if (mode_ == ViewMode::kTable || mode_ == ViewMode::kSilent) return;
  // A continuous flow goes idle and runs again all the time: its first RUNNING is worth a line.
  const bool idle = status.state == engine::FlowState::kIdle;
  const bool again =
      status.state == engine::FlowState::kRunning && !first && !running_.insert(status.name).second;
  if (mode_ == ViewMode::kJson) {
    if (!idle && !again) PrintJson(status, "flow_progress");
    return;
  }
  if ((idle || again) && status.error.ok()) return;
  std::printf("Flow %s is %s.\n", status.name.c_str(), engine::FlowStateName(status.state));
  if (!status.error.ok()) {
    std::printf("  %s\n", ErrorText(status.error).c_str());
  }
  std::fflush(stdout);
}

void TerminalView::PrintJson(const engine::FlowStatus& status, const char* type) {
  nlohmann::json rules = nlohmann::json::array();
  for (const auto& [name, count] : status.expectations) {
    rules.push_back(
        {{"name", name}, {"passed_records", count.passed}, {"failed_records", count.failed}});
  }
  nlohmann::json line = {{"event_type", type},
                         {"flow", status.name},
                         {"target", status.target},
                         {"state", engine::FlowStateName(status.state)},
                         {"input_rows", status.input_rows},
                         {"num_output_rows", status.output_rows},
                         {"dropped_records", status.dropped_rows},
                         {"late_records", status.late_rows},
                         {"duplicate_records", status.duplicate_rows},
                         {"quarantined_records", status.quarantined_rows},
                         {"epochs", status.epochs},
                         {"version", status.version.value()},
                         {"expectations", rules}};
  if (!status.error.ok())
    line["error"] = {{"code", ErrorCode(status.error)}, {"message", status.error.message()}};
  std::printf("%s\n", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

void TerminalView::Draw(const std::vector<engine::FlowStatus>& flows) {
  MutexLock lock(mutex_);
  if (mode_ != ViewMode::kTable) return;
  if (drawn_lines_ > 0) std::printf("\x1b[%zuA", drawn_lines_);
  std::printf("\x1b[2K\x1b[1m%-34s %-10s %9s %9s %8s %8s %10s  %s\x1b[0m\n", "flow", "state",
              "rows/s", "rows", "lag", "epochs", "epoch", "watermark");
  for (const engine::FlowStatus& flow : flows) std::printf("\x1b[2K%s\n", Line(flow).c_str());
  drawn_lines_ = flows.size() + 1;
  std::fflush(stdout);
}

void TerminalView::Summary(const std::vector<engine::FlowStatus>& flows, double seconds) {
  MutexLock lock(mutex_);
  if (mode_ == ViewMode::kJson) {
    for (const engine::FlowStatus& flow : flows) PrintJson(flow, "flow_summary");
    return;
  }
  for (const engine::FlowStatus& flow : flows) {
    std::printf(
        "  %-34s %-10s in %10lld  out %10lld  (%s rows/s)\n", flow.name.c_str(),
        engine::FlowStateName(flow.state), static_cast<long long>(flow.input_rows),
        static_cast<long long>(flow.output_rows),
        ShortNumber(seconds > 0 ? static_cast<double>(flow.input_rows) / seconds : 0).c_str());
    if (flow.dropped_rows + flow.quarantined_rows + flow.late_rows + flow.duplicate_rows > 0) {
      std::printf(
          "    dropped %lld, quarantined %lld, late %lld, duplicates %lld\n",
          static_cast<long long>(flow.dropped_rows), static_cast<long long>(flow.quarantined_rows),
          static_cast<long long>(flow.late_rows), static_cast<long long>(flow.duplicate_rows));
    }
    PrintExpectations(flow);
  }
  std::fflush(stdout);
}

}  // namespace sluice::app
