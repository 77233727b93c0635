/* Makes calls on chosen files fail: preloaded into a process, which chooses the fault by fault_set(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char wanted_call[16], wanted_path[256];
static int wanted_errno;
static long first_call, last_call, calls, failed;

void fault_set(const char *call, const char *path, int number, long first, long last) {
    snprintf(wanted_call, sizeof wanted_call, "%s", call);
    snprintf(wanted_path, sizeof wanted_path, "%s", path);
    wanted_errno = number, first_call = first, last_call = last, calls = failed = 0;
}

long fault_count(void) { return failed; }

/* Whether this call is one of those that fail; the calls on the chosen files are counted from 0. */
static int fails(const char *call, const char *path) {
    if (!wanted_errno || strcmp(call, wanted_call) || !path || !strstr(path, wanted_path)) return 0;
    long number = __sync_fetch_and_add(&calls, 1);
    if (number < first_call || number >= last_call) return 0;
    __sync_fetch_and_add(&failed, 1);
    return 1;
}

static int fails_at(const char *call, int file) {
    if (!wanted_errno || strcmp(call, wanted_call)) return 0;
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails(call, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL return errno = wanted_errno, -1

ssize_t write(int file, const void *data, size_t size) {
    if (fails_at("write", file)) {
        /* A disk that fills takes the beginning. */
        if (failed == 1 && size > 1 && (wanted_errno == ENOSPC || wanted_errno == EDQUOT)) return REAL(write)(file, data, size / 2);
        FAIL;
    }
    return REAL(write)(file, data, size);
}

int fsync(int file) {
    if (fails_at("fsync", file)) FAIL;
    return REAL(fsync)(file);
}

int rename(const char *from, const char *to) {
    if (fails("rename", to)) FAIL;
    return REAL(rename)(from, to);
}

int renameat(int a, const char *from, int b, const char *to) {
    if (fails("rename", to)) FAIL;
    return REAL(renameat)(a, from, b, to);
}

int mkdir(const char *path, mode_t mode) {
    if (fails("mkdir", path)) FAIL;
    return REAL(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    if (fails("mkdir", path)) FAIL;
    return REAL(mkdirat)(folder, path, mode);
}

/* A full disk and a read-only one can still be read. */
static int open_fails(const char *path, int flags) {
    int reads = (flags & O_ACCMODE) == O_RDONLY;
    if (reads && (wanted_errno == ENOSPC || wanted_errno == EDQUOT || wanted_errno == EROFS)) return 0;
    return fails("open", path);
}

#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE if (open_fails(path, flags)) FAIL; return REAL(open)(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE if (open_fails(path, flags)) FAIL; return REAL(open64)(path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE if (open_fails(path, flags)) FAIL; return REAL(openat)(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE if (open_fails(path, flags)) FAIL; return REAL(openat64)(at, path, flags, mode); }
