#include "app/output_format.h"

#include <arrow/api.h>

#include <algorithm>
#include <cstdio>

#include "app/cell_text.h"
#include "codec/json_writer.h"
#include "delta/files/parquet_export.h"

namespace sluice::app {
namespace {

/// Standard output or a file; a failed write is remembered until Close.
class TextOut {
 public:
  static Result<TextOut> Open(const std::string& path) {
    if (path.empty()) return TextOut(stdout);
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (file == nullptr)
      return MakeError("STORAGE_IO", "cannot write file: " + path,
                       "check the folder and permissions");
    return TextOut(file);
  }
  void Write(const std::string& text) {
    failed_ |= std::fwrite(text.data(), 1, text.size(), file_) != text.size();
  }
  Status Close() {
    failed_ |= (file_ == stdout ? std::fflush(file_) : std::fclose(file_)) != 0;
    if (failed_) return MakeError("STORAGE_IO", "cannot write the output", "check free space");
    return Status::OK();
  }

 private:
  explicit TextOut(std::FILE* file) : file_(file) {}
  std::FILE* file_;
  bool failed_ = false;
};

size_t DisplayWidth(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

Status WriteTable(arrow::RecordBatchReader* rows, TextOut* out) {
  const auto& fields = rows->schema()->fields();
  if (fields.empty()) {  // a statement that answers nothing
    out->Write("OK\n");
    return Status::OK();
  }
  std::vector<size_t> widths;
  for (const auto& field : fields) widths.push_back(DisplayWidth(field->name()));
  std::vector<std::vector<std::string>> lines;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::vector<std::string> line(fields.size());
      for (size_t i = 0; i < fields.size(); ++i) {
        AppendCellText(*batch->column(static_cast<int>(i)), row, &line[i]);
        widths[i] = std::max(widths[i], DisplayWidth(line[i]));
      }
      lines.push_back(std::move(line));
    }
  }
  std::string rule = "+";
  std::string header = "|";
  for (size_t i = 0; i < fields.size(); ++i) {
    rule += std::string(widths[i], '-') + "+";
    header +=
        fields[i]->name() + std::string(widths[i] - DisplayWidth(fields[i]->name()), ' ') + "|";
  }
  out->Write(rule + "\n" + header + "\n" + rule + "\n");
  for (const auto& line : lines) {
    std::string text = "|";
    for (size_t i = 0; i < line.size(); ++i)
      text += line[i] + std::string(widths[i] - DisplayWidth(line[i]), ' ') + "|";
    out->Write(text + "\n");
  }
  out->Write(rule + "\n" + std::to_string(lines.size()) +
             (lines.size() == 1 ? " row\n" : " rows\n"));
  return Status::OK();
}

Status WriteJson(arrow::RecordBatchReader* rows, TextOut* out) {
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    std::string text;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      SLUICE_RETURN_NOT_OK(codec::AppendRowJson(*batch, row, &text));
      text.push_back('\n');
    }
    out->Write(text);
  }
}

/// A CSV field by RFC 4180: quoted when it holds a comma, a quote or a line break. NULL is empty,
/// "" is quoted.
std::string CsvField(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return "";
  std::string text;
  AppendCellText(array, row, &text);
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

Status WriteCsv(arrow::RecordBatchReader* rows, TextOut* out) {
  std::string text;
  for (const auto& field : rows->schema()->fields())
    text += (text.empty() ? "" : ",") + field->name();
  out->Write(text + "\n");
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) return Status::OK();
    text.clear();
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (int i = 0; i < batch->num_columns(); ++i)
        text += (i == 0 ? "" : ",") + CsvField(*batch->column(i), row);
      text.push_back('\n');
    }
    out->Write(text);
  }
}

}  // namespace

Result<OutputFormat> ParseOutputFormat(const std::string& text) {
  if (text == "table") return OutputFormat::kTable;
  if (text == "json") return OutputFormat::kJson;
  if (text == "csv") return OutputFormat::kCsv;
  if (text == "parquet") return OutputFormat::kParquet;
  return MakeError("INVALID_OUTPUT_FORMAT", "not an output format: " + text,
                   "table, json, csv and parquet are known");
}

Status WriteOutput(arrow::RecordBatchReader* rows, OutputFormat format, const std::string& path) {
  if (format == OutputFormat::kParquet) return delta::WriteParquetFile(rows, path);
  SLUICE_ASSIGN_OR_RETURN(TextOut out, TextOut::Open(path));
  switch (format) {
    case OutputFormat::kJson: SLUICE_RETURN_NOT_OK(WriteJson(rows, &out)); break;
    case OutputFormat::kCsv: SLUICE_RETURN_NOT_OK(WriteCsv(rows, &out)); break;
    default: SLUICE_RETURN_NOT_OK(WriteTable(rows, &out)); break;
  }
  return out.Close();
}

}  // namespace sluice::app
