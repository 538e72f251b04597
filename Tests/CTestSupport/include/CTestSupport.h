// Counts the allocations of each thread, so that tests that run at the same time do not count each other's.
#pragma once
#include <stdbool.h>

// Whether this build counts; one with a sanitizer does not.
bool backstop_counts_allocations(void);
// Calls of malloc, calloc, realloc and the aligned ones by the calling thread so far.
long backstop_allocations(void);
