#include "delta/protocol/deletion_vector.h"

#include <roaring/roaring.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <map>

#include "delta/protocol/partition_value.h"

namespace sluice::delta {
namespace {

constexpr uint32_t kMagic = 1681511377;  // RoaringBitmapArray, portable form
constexpr uint64_t kMaxBitmaps = 1ULL << 31;

struct FreeBitmap {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, FreeBitmap>;

Status Corrupt(const std::string& what) {
  return MakeError("DELTA_DELETION_VECTOR_CORRUPT", "deletion vector is damaged: " + what,
                   "restore the file from a copy");
}

template <typename T>
void AppendLittle(T value, std::string* out) {
  for (size_t i = 0; i < sizeof(T); ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

template <typename T>
T ReadLittle(const char* bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

void AppendBig32(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out->push_back(static_cast<char>(value >> shift & 0xFF));
}

uint32_t ReadBig32(const char* bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint32_t Checksum(std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

constexpr char kZ85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

constexpr std::array<int, 256> MakeZ85Values() {
  std::array<int, 256> values{};
  for (int& value : values) value = -1;
  for (int i = 0; i < 85; ++i) values[static_cast<unsigned char>(kZ85[i])] = i;
  return values;
}
constexpr std::array<int, 256> kZ85Values = MakeZ85Values();

constexpr size_t kEncodedUuidLength = 20;

std::string UuidToBytes(const std::string& uuid) {
  std::string bytes;
  int high = -1;
  for (const char c : uuid) {
    if (c == '-') continue;
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

std::string BytesToUuid(const std::string& bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string uuid;
  for (size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid.push_back('-');
    const auto c = static_cast<unsigned char>(bytes[i]);
    uuid.push_back(kHex[c >> 4]);
    uuid.push_back(kHex[c & 15]);
  }
  return uuid;
}

}  // namespace

Result<std::string> DeletionVectorPath(const std::string& table_path,
                                       const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type == 'p') return ResolvePath(table_path, descriptor.path_or_inline);
  const std::string& text = descriptor.path_or_inline;
  if (descriptor.storage_type != 'u' || text.size() < kEncodedUuidLength)
    return Corrupt("unknown storage");
  const std::string prefix = text.substr(0, text.size() - kEncodedUuidLength);
  SLUICE_ASSIGN_OR_RETURN(const std::string uuid, Z85Decode(text.substr(prefix.size())));
  const std::string name = "deletion_vector_" + BytesToUuid(uuid) + ".bin";
  return storage::JoinPath(table_path, prefix.empty() ? name : prefix + "/" + name);
}

struct DeletionVector::Bitmaps {
  std::map<uint32_t, Bitmap> by_key;  // high 32 bits of the row -> low 32 bits

  roaring_bitmap_t* At(uint32_t key) {
    Bitmap& bitmap = by_key[key];
    if (bitmap == nullptr) bitmap.reset(roaring_bitmap_create());
    return bitmap.get();
  }
};

DeletionVector::DeletionVector() : bitmaps_(std::make_unique<Bitmaps>()) {}
DeletionVector::~DeletionVector() = default;
DeletionVector::DeletionVector(DeletionVector&&) noexcept = default;
DeletionVector& DeletionVector::operator=(DeletionVector&&) noexcept = default;

void DeletionVector::Add(uint64_t row) {
  roaring_bitmap_add(bitmaps_->At(static_cast<uint32_t>(row >> 32)), static_cast<uint32_t>(row));
}

void DeletionVector::AddAll(const std::vector<uint64_t>& rows) {
  for (const uint64_t row : rows) Add(row);
}

void DeletionVector::Union(const DeletionVector& other) {
  for (const auto& [key, bitmap] : other.bitmaps_->by_key)
    roaring_bitmap_or_inplace(bitmaps_->At(key), bitmap.get());
}

bool DeletionVector::Contains(uint64_t row) const {
  const auto it = bitmaps_->by_key.find(static_cast<uint32_t>(row >> 32));
  return it != bitmaps_->by_key.end() &&
         roaring_bitmap_contains(it->second.get(), static_cast<uint32_t>(row));
}

int64_t DeletionVector::cardinality() const {
  uint64_t count = 0;
  for (const auto& [key, bitmap] : bitmaps_->by_key)
    count += roaring_bitmap_get_cardinality(bitmap.get());
  return static_cast<int64_t>(count);
}

void DeletionVector::AppendLive(uint64_t begin, uint32_t count, std::vector<uint32_t>* live) const {
  uint32_t next = 0;  // relative to begin
  while (next < count) {
    const uint64_t row = begin + next;
    const auto low = static_cast<uint32_t>(row);
    // Rows left of this range that share the high half of their number.
    const uint32_t room = UINT32_MAX - low;
    const uint32_t end = room < count - next - 1 ? next + room + 1 : count;
    const auto it = bitmaps_->by_key.find(static_cast<uint32_t>(row >> 32));
    if (it == bitmaps_->by_key.end()) {
      while (next < end) live->push_back(next++);
      continue;
    }
    roaring_uint32_iterator_t deleted;
    roaring_init_iterator(it->second.get(), &deleted);
    bool has = roaring_move_uint32_iterator_equalorlarger(&deleted, low);
    for (uint32_t value = low; next < end; ++next, ++value) {
      if (has && deleted.current_value == value) {
        has = roaring_advance_uint32_iterator(&deleted);
      } else {
        live->push_back(next);
      }
    }
  }
}

std::vector<uint64_t> DeletionVector::ToRows() const {
  std::vector<uint64_t> rows;
  for (const auto& [key, bitmap] : bitmaps_->by_key) {
    std::vector<uint32_t> low(roaring_bitmap_get_cardinality(bitmap.get()));
    roaring_bitmap_to_uint32_array(bitmap.get(), low.data());
    for (const uint32_t value : low) rows.push_back(static_cast<uint64_t>(key) << 32 | value);
  }
  return rows;
}

std::string DeletionVector::Serialize() const {
  std::string bytes;
  AppendLittle<uint32_t>(kMagic, &bytes);
  AppendLittle<uint64_t>(bitmaps_->by_key.size(), &bytes);
  for (const auto& [key, bitmap] : bitmaps_->by_key) {
    roaring_bitmap_run_optimize(bitmap.get());
    AppendLittle<uint32_t>(key, &bytes);
    const size_t size = roaring_bitmap_portable_size_in_bytes(bitmap.get());
    const size_t at = bytes.size();
    bytes.resize(at + size);
    roaring_bitmap_portable_serialize(bitmap.get(), bytes.data() + at);
  }
  return bytes;
}

Result<DeletionVector> DeletionVector::Deserialize(std::string_view bytes) {
  constexpr size_t kHeader = 12;
  if (bytes.size() < kHeader || ReadLittle<uint32_t>(bytes.data()) != kMagic)
    return Corrupt("wrong magic number");
  const auto count = ReadLittle<uint64_t>(bytes.data() + 4);
  if (count > kMaxBitmaps) return Corrupt("too many bitmaps");
  bytes.remove_prefix(kHeader);
  DeletionVector vector;
  for (uint64_t i = 0; i < count; ++i) {
    if (bytes.size() < 4) return Corrupt("it ends early");
    const auto key = ReadLittle<uint32_t>(bytes.data());
    bytes.remove_prefix(4);
    const size_t size = roaring_bitmap_portable_deserialize_size(bytes.data(), bytes.size());
    if (size == 0 || size > bytes.size()) return Corrupt("a bitmap cannot be read");
    Bitmap bitmap(roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()));
    if (bitmap == nullptr) return Corrupt("a bitmap cannot be read");
    vector.bitmaps_->by_key[key] = std::move(bitmap);
    bytes.remove_prefix(size);
  }
  return vector;
}

Result<DeletionVector> ReadDeletionVector(storage::Storage& storage, const std::string& table_path,
                                          const DeletionVectorDescriptor& descriptor) {
  const auto size = static_cast<size_t>(std::max(descriptor.size_in_bytes, 0));
  std::string bytes;
  if (descriptor.storage_type == 'i') {
    SLUICE_ASSIGN_OR_RETURN(bytes, Z85Decode(descriptor.path_or_inline));
    if (bytes.size() < size) return Corrupt("inline text is too short");
    bytes.resize(size);
  } else {
    SLUICE_ASSIGN_OR_RETURN(const std::string path, DeletionVectorPath(table_path, descriptor));
    auto file = storage.OpenInput(path);
    if (!file.ok()) {
      if (!HasCode(file.status(), "STORAGE_NOT_FOUND")) return file.status();
      return MakeError("DELTA_FILE_NOT_FOUND",
                       "a deletion vector that the table's log names is missing: " + path,
                       "restore the file");
    }
    const int64_t offset = descriptor.offset.value_or(1);
    SLUICE_ASSIGN_OR_RETURN(const auto buffer,
                            (*file)->ReadAt(offset, static_cast<int64_t>(size) + 8));
    if (buffer->size() != static_cast<int64_t>(size) + 8)
      return Corrupt("file ends early: " + path);
    const auto* data = reinterpret_cast<const char*>(buffer->data());
    if (ReadBig32(data) != size) return Corrupt("sizes differ: " + path);
    bytes.assign(data + 4, size);
    if (ReadBig32(data + 4 + size) != Checksum(bytes)) return Corrupt("wrong checksum: " + path);
  }
  SLUICE_ASSIGN_OR_RETURN(auto vector, DeletionVector::Deserialize(bytes));
  if (vector.cardinality() != descriptor.cardinality) return Corrupt("wrong number of rows");
  return vector;
}

Result<std::vector<DeletionVectorDescriptor>> WriteDeletionVectors(
    storage::Storage& storage, const std::string& table_path, const std::string& uuid,
    const std::vector<const DeletionVector*>& vectors, size_t inline_bytes) {
  std::vector<DeletionVectorDescriptor> descriptors;
  std::string file(1, '\1');
  for (const DeletionVector* vector : vectors) {
    const std::string bytes = vector->Serialize();
    DeletionVectorDescriptor descriptor;
    descriptor.size_in_bytes = static_cast<int32_t>(bytes.size());
    descriptor.cardinality = vector->cardinality();
    if (bytes.size() <= inline_bytes) {
      descriptor.storage_type = 'i';
      descriptor.path_or_inline = Z85Encode(bytes);
    } else {
      descriptor.storage_type = 'u';
      descriptor.path_or_inline = Z85Encode(UuidToBytes(uuid));
      descriptor.offset = static_cast<int32_t>(file.size());
      AppendBig32(static_cast<uint32_t>(bytes.size()), &file);
      file += bytes;
      AppendBig32(Checksum(bytes), &file);
    }
    descriptors.push_back(std::move(descriptor));
  }
  if (file.size() > 1) {
    SLUICE_RETURN_NOT_OK(
        storage.Put(storage::JoinPath(table_path, "deletion_vector_" + uuid + ".bin"), file));
  }
  return descriptors;
}

std::string Z85Encode(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 4) {
    uint32_t value = 0;
    for (size_t k = 0; k < 4; ++k) {
      value = value << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    char block[5];
    for (int k = 4; k >= 0; --k) {
      block[k] = kZ85[value % 85];
      value /= 85;
    }
    text.append(block, 5);
  }
  return text;
}

Result<std::string> Z85Decode(std::string_view text) {
  if (text.size() % 5 != 0) return Corrupt("text is no Z85");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 5) {
    uint64_t value = 0;
    for (size_t k = 0; k < 5; ++k) {
      const int digit = kZ85Values[static_cast<unsigned char>(text[i + k])];
      if (digit < 0) return Corrupt("text is no Z85");
      value = value * 85 + static_cast<uint64_t>(digit);
    }
    if (value > UINT32_MAX) return Corrupt("text is no Z85");
    AppendBig32(static_cast<uint32_t>(value), &bytes);
  }
  return bytes;
}

}  // namespace sluice::delta
