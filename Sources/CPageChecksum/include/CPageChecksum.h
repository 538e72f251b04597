// The checksum of PostgreSQL's pages. In C with vector types, because it sees every byte of a cluster and must be fast in debug
// builds too, where neither Swift's SIMD types nor a vectoriser help.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How many of `count` pages at `pages` are good before the first bad one. `first_page` is the number of the first one in its
// relation. `header_check`: a page is new (and must be all zeros) when its header says where no data begins, else when its
// checksum is zero. `page_size` is a multiple of 128.
size_t backstop_good_pages(const void *pages, size_t page_size, size_t count, uint32_t first_page, bool header_check);
