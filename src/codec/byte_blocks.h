// 32 bytes at a time: the few comparisons that JSON scanning lives on. AVX2 where the build has it,
// else SSE2 or plain.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace sluice::codec {

/// Bit i of each mask tells of byte i of a block.
struct StringBlock {
  uint32_t quotes = 0;
  uint32_t backslashes = 0;
  uint32_t controls = 0;  // below 0x20
  uint32_t non_ascii = 0;

  uint32_t special() const { return quotes | backslashes | controls; }
};

inline constexpr int64_t kBlockSize = 32;

#if defined(__AVX2__)

inline StringBlock LoadStringBlock(const char* at) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  StringBlock block;
  block.quotes =
      static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'))));
  block.backslashes =
      static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))));
  block.non_ascii = static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
  block.controls = static_cast<uint32_t>(
                       _mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes))) &
                   ~block.non_ascii;
  return block;
}

inline uint32_t EqualBytes(const char* a, const char* b) {
  const __m256i equal = _mm256_cmpeq_epi8(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a)),
                                          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)));
  return static_cast<uint32_t>(_mm256_movemask_epi8(equal));
}

#elif defined(__SSE2__)

inline StringBlock LoadStringBlock(const char* at) {
  StringBlock block;
  for (int half = 0; half < 2; ++half) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + half * 16));
    const int shift = half * 16;
    const auto mask = [shift](__m128i value) {
      return static_cast<uint32_t>(_mm_movemask_epi8(value)) << shift;
    };
    const uint32_t non_ascii = mask(bytes);
    block.quotes |= mask(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    block.backslashes |= mask(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    block.non_ascii |= non_ascii;
    block.controls |= mask(_mm_cmpgt_epi8(_mm_set1_epi8(0x20), bytes)) & ~non_ascii;
  }
  return block;
}

inline uint32_t EqualBytes(const char* a, const char* b) {
  uint32_t equal = 0;
  for (int half = 0; half < 2; ++half) {
    const __m128i same =
        _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + half * 16)),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + half * 16)));
    equal |= static_cast<uint32_t>(_mm_movemask_epi8(same)) << (half * 16);
  }
  return equal;
}

#else

inline StringBlock LoadStringBlock(const char* at) {
  StringBlock block;
  for (int i = 0; i < kBlockSize; ++i) {
    const auto byte = static_cast<unsigned char>(at[i]);
    const uint32_t bit = uint32_t{1} << i;
    if (byte == '"') block.quotes |= bit;
    if (byte == '\\') block.backslashes |= bit;
    if (byte < 0x20) block.controls |= bit;
    if (byte >= 0x80) block.non_ascii |= bit;
  }
  return block;
}

inline uint32_t EqualBytes(const char* a, const char* b) {
  uint32_t equal = 0;
  for (int i = 0; i < kBlockSize; ++i) equal |= static_cast<uint32_t>(a[i] == b[i]) << i;
  return equal;
}

#endif

}  // namespace sluice::codec
