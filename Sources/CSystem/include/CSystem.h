// What Glibc's Swift module lacks: feature-gated calls, names that Swift cannot tell apart, and the loading of libraries.
#pragma once

#include <stddef.h>

int backstop_syncfs(int descriptor);
int backstop_start_writeback(int descriptor);
// The magic number of the file system that holds an open file, or -1.
long backstop_file_system(int descriptor);
// Bytes that this user may still write to the file system of path, and the type of that; -1 when it is not known.
long backstop_free_space(const char *path, unsigned long long *bytes);
// Standard descriptors that the caller has closed: reading finds the end, writing fails as on a closed one (they lead to /dev/null, opened
// for reading), and no file or connection that is opened later gets their numbers.
void backstop_hold_standard_descriptors(void);
// A descriptor of what is at the path, only for looking at it and as a starting point; `follow`: through a link. -1 and errno.
int backstop_open_path(const char *path, int follow);
// Blocks HUP, INT and TERM in the calling thread and all threads it starts later, and ignores PIPE.
void backstop_block_signals(void);
// Waits for one of the blocked signals and returns its number.
int backstop_wait_signal(void);
// The variables of the environment, the last is NULL. Swift 6 refuses the global itself.
char **backstop_environment(void);
// A pipe whose ends no program inherits, not even one that another thread starts at this moment: 0, or -1 and errno.
int backstop_pipe(int ends[2]);

// A function of a library that is loaded at run time, and where its address is to be kept.
typedef struct backstop_symbol {
    const char *name;
    void **place;
} backstop_symbol;
// Loads a library and looks up its functions. Leaves `problem` empty, or writes there why it cannot be used.
void backstop_load(const char *library, const backstop_symbol *symbols, size_t count, char *problem, size_t problem_size);
