// hash (Murmur3) and xxhash64 with Spark's values: each column continues from the hash of those
// before it, NULLs leave it as it is.
#include <bit>

#include "sql/expressions/physical_type.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"
#include "sql/functions/murmur3.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

struct XxHash64 {
  using Hash = int64_t;
  static constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
  static constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
  static constexpr uint64_t kPrime3 = 0x165667B19E3779F9ULL;
  static constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
  static constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;

  static int64_t Finish(uint64_t hash) {
    hash = (hash ^ hash >> 33) * kPrime2;
    hash = (hash ^ hash >> 29) * kPrime3;
    return static_cast<int64_t>(hash ^ hash >> 32);
  }
  static uint64_t Round(uint64_t accumulator, uint64_t word) {
    return std::rotl(accumulator + word * kPrime2, 31) * kPrime1;
  }
  static uint64_t MixInt(uint64_t hash, uint32_t word) {
    return std::rotl(hash ^ word * kPrime1, 23) * kPrime2 + kPrime3;
  }
  static uint64_t MixLong(uint64_t hash, uint64_t word) {
    return std::rotl(hash ^ Round(0, word), 27) * kPrime1 + kPrime4;
  }
  static int64_t Int(int32_t value, int64_t seed) {
    return Finish(MixInt(static_cast<uint64_t>(seed) + kPrime5 + 4, static_cast<uint32_t>(value)));
  }
  static int64_t Long(int64_t value, int64_t seed) {
    return Finish(MixLong(static_cast<uint64_t>(seed) + kPrime5 + 8, static_cast<uint64_t>(value)));
  }
  static int64_t Bytes(Text bytes, int64_t seed) {
    const auto start = static_cast<uint64_t>(seed);
    uint64_t hash = start + kPrime5;
    size_t at = 0;
    if (bytes.size() >= 32) {
      uint64_t lanes[4] = {start + kPrime1 + kPrime2, start + kPrime2, start, start - kPrime1};
      for (; at + 32 <= bytes.size(); at += 32) {
        for (size_t lane = 0; lane < 4; ++lane)
          lanes[lane] = Round(lanes[lane], Load<uint64_t>(bytes.data() + at + lane * 8));
      }
      hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
             std::rotl(lanes[3], 18);
      for (const uint64_t lane : lanes) hash = (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
    }
    hash += bytes.size();
    for (; at + 8 <= bytes.size(); at += 8) hash = MixLong(hash, Load<uint64_t>(bytes.data() + at));
    if (at + 4 <= bytes.size()) {
      hash = MixInt(hash, Load<uint32_t>(bytes.data() + at));
      at += 4;
    }
    for (; at < bytes.size(); ++at) {
      hash = std::rotl(hash ^ static_cast<unsigned char>(bytes[at]) * kPrime5, 11) * kPrime1;
    }
    return Finish(hash);
  }
};

// The unscaled value as Java's BigInteger.toByteArray: big end first, as few bytes as keep the
// sign.
std::string BigIntegerBytes(const arrow::Decimal128& value) {
  const auto words = value.ToBytes();  // little end first
  std::string bytes(words.rbegin(), words.rend());
  size_t drop = 0;
  while (drop + 1 < bytes.size()) {
    const bool next_negative = (static_cast<unsigned char>(bytes[drop + 1]) & 0x80) != 0;
    if ((bytes[drop] != '\0' || next_negative) && (bytes[drop] != '\xFF' || !next_negative)) break;
    ++drop;
  }
  return bytes.substr(drop);
}

template <typename H>
typename H::Hash HashValue(const arrow::Array& array, int64_t row, typename H::Hash seed) {
  using arrow::Type;
  if (array.IsNull(row)) return seed;
  switch (array.type_id()) {
    case Type::BOOL:
      return H::Int(static_cast<const arrow::BooleanArray&>(array).Value(row) ? 1 : 0, seed);
    case Type::INT8: return H::Int(static_cast<const arrow::Int8Array&>(array).Value(row), seed);
    case Type::INT16: return H::Int(static_cast<const arrow::Int16Array&>(array).Value(row), seed);
    case Type::INT32:
    case Type::DATE32:
    case Type::INTERVAL_MONTHS: return H::Int(array.data()->GetValues<int32_t>(1)[row], seed);
    case Type::INT64:
    case Type::TIMESTAMP:
    case Type::DURATION: return H::Long(array.data()->GetValues<int64_t>(1)[row], seed);
    case Type::FLOAT: {
      float value = static_cast<const arrow::FloatArray&>(array).Value(row);
      if (value == 0) value = 0;
      if (std::isnan(value)) return H::Int(0x7FC00000, seed);
      return H::Int(std::bit_cast<int32_t>(value), seed);
    }
    case Type::DOUBLE: {
      double value = static_cast<const arrow::DoubleArray&>(array).Value(row);
      if (value == 0) value = 0;
      if (std::isnan(value)) return H::Long(0x7FF8000000000000LL, seed);
      return H::Long(std::bit_cast<int64_t>(value), seed);
    }
    case Type::DECIMAL128: {
      const arrow::Decimal128 value(
          static_cast<const arrow::Decimal128Array&>(array).GetValue(row));
      if (static_cast<const arrow::Decimal128Type&>(*array.type()).precision() <= 18)
        return H::Long(static_cast<int64_t>(value.low_bits()), seed);
      return H::Bytes(BigIntegerBytes(value), seed);
    }
    case Type::STRING:
    case Type::BINARY:
      return H::Bytes(static_cast<const arrow::BinaryArray&>(array).GetView(row), seed);
    case Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
        seed = HashValue<H>(*list.values(), i, seed);
      return seed;
    }
    case Type::STRUCT: {
      const auto& record = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < record.num_fields(); ++i)
        seed = HashValue<H>(*record.field(i), row, seed);
      return seed;
    }
    default: return seed;  // void
  }
}

template <typename H>
Result<ArrayPtr> HashRows(const KernelCall& call) {
  std::vector<typename H::Hash> hashes(static_cast<size_t>(call.rows), 42);
  for (const Value& arg : call.args) {
    for (int64_t row = 0; row < call.rows; ++row) {
      auto& hash = hashes[static_cast<size_t>(row)];
      hash = HashValue<H>(*arg.array, arg.At(row), hash);
    }
  }
  Writer<typename H::Hash> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (const auto hash : hashes) SLUICE_RETURN_NOT_OK(writer.Set(hash));
  return writer.Finish();
}

bool HasMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP || type.id() == arrow::Type::EXTENSION) return true;
  for (const auto& field : type.fields()) {
    if (HasMap(*field->type())) return true;
  }
  return false;
}

BindFunction BindHash(TypePtr type) {
  return [type = std::move(type)](FunctionBinder& binder, const std::string& name, Args args,
                                  Span span) -> Result<BoundPtr> {
    SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, SIZE_MAX, span));
    for (const BoundPtr& arg : args) {
      if (HasMap(*arg->type))
        return binder.Error(
            arg->span, "DATATYPE_MISMATCH.HASH_MAP_TYPE",
            "input to the function " + name + " cannot contain elements of the \"MAP\" type");
    }
    return MakeCall(name, std::move(args), type, false, span);
  };
}

}  // namespace

void RegisterHashFunctions(FunctionRegistry* registry) {
  registry->Special("hash", BindHash(arrow::int32()));
  registry->Compute("hash", Plain(HashRows<Murmur3>));
  registry->Special("xxhash64", BindHash(arrow::int64()));
  registry->Compute("xxhash64", Plain(HashRows<XxHash64>));
}

}  // namespace sluice::sql
