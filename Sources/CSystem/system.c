#define _GNU_SOURCE
#include "CSystem.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

int backstop_syncfs(int descriptor) { return syncfs(descriptor); }

int backstop_start_writeback(int descriptor) {
    return sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

long backstop_file_system(int descriptor) {
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 ? (long)system.f_type : -1;
}

long backstop_free_space(const char *path, unsigned long long *bytes) {
    struct statfs system;
    if (statfs(path, &system) != 0) return -1;
    *bytes = (unsigned long long)system.f_bavail * (unsigned long long)system.f_bsize;
    return (long)system.f_type;
}

static void handled(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

int backstop_open_path(const char *path, int follow) { return open(path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)); }

void backstop_hold_standard_descriptors(void) {
    for (int number = 0; number <= 2; number++) {
        // The lowest number that is free is this one.
        if (fcntl(number, F_GETFD) == -1 && errno == EBADF) (void)!open("/dev/null", O_RDONLY);
    }
}

void backstop_block_signals(void) {
    sigset_t set;
    handled(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int backstop_wait_signal(void) {
    sigset_t set;
    int number = 0;
    handled(&set);
    return sigwait(&set, &number) == 0 ? number : -1;
}

char **backstop_environment(void) { return environ; }

int backstop_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void backstop_load(const char *library, const backstop_symbol *symbols, size_t count, char *problem, size_t problem_size) {
    problem[0] = 0;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(problem, problem_size, "%s", dlerror());
        return;
    }
    for (size_t index = 0; index < count; index++) {
        *symbols[index].place = dlsym(handle, symbols[index].name);
        if (*symbols[index].place != NULL) continue;
        snprintf(problem, problem_size, "%s lacks %s", library, symbols[index].name);
        return;
    }
}
