// bench_micro FILE [REPEATS]: what single steps reach on the lines of FILE, on one thread, repeated
// REPEATS times over (default 4). One JSON line each: "parse" = JSON to the five columns of silver;
// "encode_bronze" = the raw value with its metadata to a Parquet file of a Delta table;
// "encode_silver" = the parsed columns. Files go to a scratch folder.
#include <arrow/api.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "codec/json_decoder.h"
#include "delta/files/parquet_writer.h"
#include "delta/log/table.h"
#include "storage/local_storage.h"

namespace sluice::bench {
namespace {

constexpr int64_t kBatchRows = 100'000;
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Runs `step` and prints its line.
template <typename Step>
Status Timed(const char* workload, int64_t events, Step step) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu = CpuSeconds();
  SLUICE_RETURN_NOT_OK(step());
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const double used = CpuSeconds() - cpu;
  std::printf(
      "{\"system\":\"limit\",\"workload\":\"%s\",\"events\":%lld,\"seconds\":%.3f,"
      "\"events_per_s\":%.0f,\"cpu_seconds\":%.3f,\"events_per_cpu_s\":%.0f}\n",
      workload, static_cast<long long>(events), wall.count(),
      static_cast<double>(events) / wall.count(), used, static_cast<double>(events) / used);
  return Status::OK();
}

std::shared_ptr<arrow::DataType> EventType() {
  return arrow::struct_({
      arrow::field("event_id", arrow::utf8()),
      arrow::field("customer_id", arrow::utf8()),
      arrow::field("event_type", arrow::utf8()),
      arrow::field("event_time", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
      arrow::field("properties", arrow::map(arrow::utf8(), arrow::utf8())),
  });
}

std::shared_ptr<arrow::Schema> BronzeSchema() {
  const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return arrow::schema({
      arrow::field("key", arrow::binary()),
      arrow::field("value", arrow::binary()),
      arrow::field("topic", arrow::utf8()),
      arrow::field("partition", arrow::int32()),
      arrow::field("offset", arrow::int64()),
      arrow::field("timestamp", time),
      arrow::field("ingestion_timestamp", time),
  });
}

/// The lines as the bronze rows that Kafka would give.
Result<Batches> ReadBronze(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status::IOError("cannot read ", path);
  Batches batches;
  std::string line;
  bool more = true;
  int64_t offset = 0;
  while (more) {
    arrow::BinaryBuilder keys, values;
    arrow::StringBuilder topics;
    arrow::Int32Builder partitions;
    arrow::Int64Builder offsets, times, ingested;
    int64_t rows = 0;
    for (; rows < kBatchRows && (more = static_cast<bool>(std::getline(file, line))); ++rows) {
      SLUICE_RETURN_NOT_OK(values.Append(line));
      SLUICE_RETURN_NOT_OK(keys.Append(line.substr(13, 36)));
      SLUICE_RETURN_NOT_OK(topics.Append("events"));
      SLUICE_RETURN_NOT_OK(partitions.Append(static_cast<int32_t>(offset % 4)));
      SLUICE_RETURN_NOT_OK(offsets.Append(offset / 4));
      SLUICE_RETURN_NOT_OK(times.Append(1'700'000'000'000'000 + offset / 100 * 1000));
      SLUICE_RETURN_NOT_OK(ingested.Append(1'700'000'000'000'000));
      ++offset;
    }
    if (rows == 0) break;
    arrow::ArrayVector columns(7);
    int at = 0;
    for (arrow::ArrayBuilder* builder :
         {static_cast<arrow::ArrayBuilder*>(&keys), static_cast<arrow::ArrayBuilder*>(&values),
          static_cast<arrow::ArrayBuilder*>(&topics),
          static_cast<arrow::ArrayBuilder*>(&partitions),
          static_cast<arrow::ArrayBuilder*>(&offsets), static_cast<arrow::ArrayBuilder*>(&times),
          static_cast<arrow::ArrayBuilder*>(&ingested)}) {
      SLUICE_RETURN_NOT_OK(builder->Finish(&columns[at++]));
    }
    for (const int time : {5, 6}) {
      SLUICE_ASSIGN_OR_RETURN(columns[time],
                              columns[time]->View(BronzeSchema()->field(time)->type()));
    }
    batches.push_back(arrow::RecordBatch::Make(BronzeSchema(), rows, columns));
  }
  return batches;
}

Status Parse(const Batches& bronze, int repeats, Batches* parsed) {
  SLUICE_ASSIGN_OR_RETURN(auto decoder, codec::JsonDecoder::Make(EventType(), nullptr, {}));
  for (int repeat = 0; repeat < repeats; ++repeat) {
    parsed->clear();
    for (const auto& batch : bronze) {
      SLUICE_ASSIGN_OR_RETURN(auto rows, decoder->Decode(*batch->column(1)));
      SLUICE_ASSIGN_OR_RETURN(auto columns, rows->Flatten());
      parsed->push_back(
          arrow::RecordBatch::Make(arrow::schema(EventType()->fields()), rows->length(), columns));
    }
  }
  return Status::OK();
}

Status Encode(delta::TableRegistry& tables, const std::string& path, const Batches& batches,
              int repeats) {
  delta::CreateOptions options;
  options.schema = batches.front()->schema();
  SLUICE_ASSIGN_OR_RETURN(auto table, tables.Create(path, options));
  for (int repeat = 0; repeat < repeats; ++repeat) {
    SLUICE_ASSIGN_OR_RETURN(auto writer, delta::DataFileWriter::Make(*table, table->Current()));
    for (const auto& batch : batches) SLUICE_RETURN_NOT_OK(writer->Write(batch));
    SLUICE_ASSIGN_OR_RETURN(auto files, writer->Finish());
  }
  return Status::OK();
}

Status Run(const std::string& path, int repeats) {
  SLUICE_ASSIGN_OR_RETURN(const Batches bronze, ReadBronze(path));
  int64_t events = 0;
  for (const auto& batch : bronze) events += batch->num_rows() * repeats;
  if (events == 0) return Status::Invalid("no lines in ", path);
  storage::LocalStorage disk(storage::LocalStorage::Options{.sync = false});
  delta::TableRegistry tables(disk, SystemClock(), 1);
  const auto scratch = std::filesystem::temp_directory_path() / "sluice-bench-micro";
  std::filesystem::remove_all(scratch);
  Batches parsed;
  SLUICE_RETURN_NOT_OK(Timed("parse", events, [&] { return Parse(bronze, repeats, &parsed); }));
  SLUICE_RETURN_NOT_OK(Timed("encode_bronze", events,
                             [&] { return Encode(tables, scratch / "bronze", bronze, repeats); }));
  SLUICE_RETURN_NOT_OK(Timed("encode_silver", events,
                             [&] { return Encode(tables, scratch / "silver", parsed, repeats); }));
  std::filesystem::remove_all(scratch);
  return Status::OK();
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_micro FILE [REPEATS]\n");
    return 2;
  }
  const sluice::Status status = sluice::bench::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 4);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
