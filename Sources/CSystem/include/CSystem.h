// What Glibc's Swift module lacks: feature-gated calls and variadic ones.
#pragma once
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int backstop_syncfs(int descriptor);
int backstop_start_writeback(int descriptor);
int backstop_rename_no_replace(int folder, const char *from, const char *to);
// Blocks HUP, INT and TERM in the calling thread and all threads it starts later, and ignores PIPE.
void backstop_block_signals(void);
// Waits for one of the blocked signals and returns its number.
int backstop_wait_signal(void);
