#include "CPageChecksum.h"

#define INLINE static inline __attribute__((always_inline))

// Eight of the 32 lanes; pages lie anywhere in memory.
typedef uint32_t lanes __attribute__((vector_size(32)));
typedef uint32_t words __attribute__((vector_size(32), aligned(1), may_alias));

static const lanes start[4] = {
    {0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c},
    {0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb},
    {0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4},
    {0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756},
};

// All but the checksum itself, which is the lower half of the page's third word.
static const lanes without_checksum = {~0u, ~0u, 0xffff0000u, ~0u, ~0u, ~0u, ~0u, ~0u};

#define MIX(lane, word)                       \
    do {                                      \
        lanes t_ = (lane) ^ (word);           \
        (lane) = (t_ * 16777619u) ^ (t_ >> 17); \
    } while (0)

INLINE uint16_t checksum(const unsigned char *page, size_t size, uint32_t number) {
    lanes a = start[0], b = start[1], c = start[2], d = start[3];
    const words *row = (const words *)page;
    const words *end = (const words *)(page + size);
    MIX(a, row[0] & without_checksum);
    MIX(b, row[1]);
    MIX(c, row[2]);
    MIX(d, row[3]);
    for (row += 4; row < end; row += 4) {
        MIX(a, row[0]);
        MIX(b, row[1]);
        MIX(c, row[2]);
        MIX(d, row[3]);
    }
    const lanes zero = {0};
    for (int round = 0; round < 2; round++) {
        MIX(a, zero);
        MIX(b, zero);
        MIX(c, zero);
        MIX(d, zero);
    }
    lanes all = a ^ b ^ c ^ d;
    for (int index = 0; index < 8; index++) number ^= all[index];
    return (uint16_t)(number % 65535 + 1);
}

INLINE bool is_zero(const unsigned char *page, size_t size) {
    const words *word = (const words *)page;
    const words *end = (const words *)(page + size);
    lanes any = {0};
    for (; word < end; word++) any |= *word;
    uint32_t bits = 0;
    for (int index = 0; index < 8; index++) bits |= any[index];
    return bits == 0;
}

INLINE uint16_t half(const unsigned char *at) { return (uint16_t)(at[0] | at[1] << 8); }

INLINE size_t good_pages(const unsigned char *pages, size_t size, size_t count, uint32_t first, bool header_check) {
    for (size_t index = 0; index < count; index++, pages += size) {
        uint16_t stored = half(pages + 8), upper = half(pages + 14);
        bool good = (header_check ? upper : stored) == 0 ? is_zero(pages, size)
                                                         : checksum(pages, size, first + (uint32_t)index) == stored;
        if (!good) return index;
    }
    return count;
}

#if defined(__x86_64__)
__attribute__((target("avx2")))
static size_t good_pages_avx2(const unsigned char *pages, size_t size, size_t count, uint32_t first, bool header_check) {
    return good_pages(pages, size, count, first, header_check);
}
#endif

size_t backstop_good_pages(const void *pages, size_t page_size, size_t count, uint32_t first_page, bool header_check) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return good_pages_avx2(pages, page_size, count, first_page, header_check);
#endif
    return good_pages(pages, page_size, count, first_page, header_check);
}
