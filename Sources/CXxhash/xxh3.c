#include "CXxhash.h"

// All of it is in the header: nothing to link with.
#define XXH_INLINE_ALL
#include <xxhash.h>

void backstop_xxh3(const void *bytes, size_t count, unsigned char digest[16]) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, count));
    for (int i = 0; i < 16; i++) digest[i] = canonical.digest[i];
}
