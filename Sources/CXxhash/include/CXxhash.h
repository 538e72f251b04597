// XXH3 with 128 bits, by which a block of a block-incremental file is known (repository-format.md section 6.1).
#pragma once
#include <stddef.h>

// Writes the 16 bytes of the canonical form, the high ones first, of `count` bytes at `bytes`, with seed 0.
void backstop_xxh3(const void *bytes, size_t count, unsigned char digest[16]);
