// A shim below the server (LD_PRELOAD) that remembers how to take back every change under $POWERCUT_ROOT that was not yet fsynced.
//
// Each change is written to $POWERCUT_LOG before it happens: the bytes it overwrites, the size it changes, the name it makes, moves or
// removes. fsync and fdatasync of a file say that its changes so far stay; fsync of a directory says the same of its names. After the
// process was killed, powercut.py takes back what no fsync covered: that is what a power cut may do, and more than kill -9 can.
// Files that lose their last name are kept as hard links under $POWERCUT_LOG.kept, so inode numbers mean one file for ever. A file that never
// had a name (O_TMPFILE) is gone with its process whatever was synced, and its inode number goes to another file: its writes are not remembered.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SIZE, SYNC, CREATE, RENAME, UNLINK };
typedef struct {
  uint32_t kind, flags;        // flags: 1 the bytes overwritten were all zeros and are left out
  uint64_t seq, inode;         // of the file, or of the directory whose name changes
  uint64_t offset, length;     // of a write; SYNC: offset is the seq it covers
  uint64_t old_size, data;     // bytes of pre-image that follow the names
  uint32_t name, other, kept;  // bytes of path, second path, kept path that follow
  uint32_t end;
} Record;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static uint64_t seq, kept_count;
static const char *root, *log_path;
static char watched[1 << 16];  // by fd: 0 not known, 1 ours, 2 not ours

__attribute__((constructor)) static void begin(void) {
  root = getenv("POWERCUT_ROOT");
  log_path = getenv("POWERCUT_LOG");
  if (!root || !log_path) abort();
  char kept[4096];
  snprintf(kept, sizeof kept, "%s.kept", log_path);
  REAL(mkdir)(kept, 0700);
  log_fd = REAL(open)(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  seq = now.tv_sec * 1000000000ull + now.tv_nsec;  // of two servers one after the other the later counts on, whatever its pid
}
static int ours(const char *path) {
  size_t n = strlen(root);
  return !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}
static int ours_fd(int fd) {
  if (fd < 0 || fd >= (int)sizeof watched) return 0;
  if (!watched[fd]) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    watched[fd] = ours(path) && !strstr(path, "-shm") ? 1 : 2;
  }
  return watched[fd] == 1;
}
static void absolute(int dir, const char *path, char out[4096]) {
  if (path[0] == '/') {
    snprintf(out, 4096, "%s", path);
    return;
  }
  char link[64], base[2048];
  snprintf(link, sizeof link, dir == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dir);
  ssize_t n = readlink(link, base, sizeof base - 1);
  base[n < 0 ? 0 : n] = 0;
  snprintf(out, 4096, "%s/%s", base, path);
}
static uint64_t inode_of(const char *path) {
  struct stat s;
  return stat(path, &s) ? 0 : s.st_ino;
}
static uint64_t directory_of(const char *path) {
  char copy[4096];
  snprintf(copy, sizeof copy, "%s", path);
  char *slash = strrchr(copy, '/');
  if (slash) *slash = 0;
  return inode_of(copy);
}
static void put(Record r, const char *name, const char *other, const char *kept, const void *data) {
  r.seq = ++seq;
  r.name = name ? strlen(name) : 0, r.other = other ? strlen(other) : 0, r.kept = kept ? strlen(kept) : 0;
  r.end = 0x50435554;
  struct iovec parts[] = {{&r, sizeof r}, {(void *)name, r.name}, {(void *)other, r.other}, {(void *)kept, r.kept}, {(void *)data, r.data}};
  ssize_t total = sizeof r + r.name + r.other + r.kept + r.data;
  if (REAL(writev)(log_fd, parts, 5) != total) abort();
}
// About to overwrite `length` bytes at `offset` (or to cut the file there): keep what they are now.
static void before(int fd, uint32_t kind, uint64_t offset, uint64_t length) {
  struct stat s;
  if (fstat(fd, &s) || !s.st_nlink) return;
  uint64_t size = s.st_size, have = offset >= size ? 0 : size - offset < length ? size - offset : length;
  char *old = have ? malloc(have) : 0;
  int zeros = 1, readable = fcntl(fd, F_GETFL) & O_RDWR, from = fd;
  if (have) {
    if (!readable) {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      from = REAL(open)(link, O_RDONLY | O_CLOEXEC);
    }
    if (pread(from, old, have, offset) != (ssize_t)have) abort();
    if (from != fd) REAL(close)(from);
    zeros = !old[0] && !memcmp(old, old + 1, have - 1);
  }
  Record r = {.kind = kind, .flags = zeros, .inode = s.st_ino, .offset = offset, .length = have, .old_size = size, .data = zeros ? 0 : have};
  put(r, 0, 0, 0, old);
  free(old);
}
static uint64_t position(int fd) {
  if (fcntl(fd, F_GETFL) & O_APPEND) {
    struct stat s;
    return fstat(fd, &s) ? 0 : s.st_size;
  }
  off_t at = lseek(fd, 0, SEEK_CUR);
  return at < 0 ? 0 : at;
}
static uint64_t bytes(const struct iovec *v, int n) {
  uint64_t total = 0;
  for (int i = 0; i < n; i++) total += v[i].iov_len;
  return total;
}
// Log and change in one step, so that the log's order is the order of changes.
#define CHANGING(fd, kind, offset, length, call) \
  if (!ours_fd(fd)) return call;                 \
  pthread_mutex_lock(&lock);                     \
  before(fd, kind, offset, length);              \
  __typeof__(call) result = call;                \
  int why = errno;                               \
  pthread_mutex_unlock(&lock);                   \
  errno = why;                                   \
  return result

ssize_t write(int fd, const void *p, size_t n) { CHANGING(fd, WRITE, position(fd), n, REAL(write)(fd, p, n)); }
ssize_t writev(int fd, const struct iovec *v, int n) { CHANGING(fd, WRITE, position(fd), bytes(v, n), REAL(writev)(fd, v, n)); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) { CHANGING(fd, WRITE, at, n, REAL(pwrite)(fd, p, n, at)); }
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) { CHANGING(fd, WRITE, at, n, REAL(pwrite64)(fd, p, n, at)); }
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at) { CHANGING(fd, WRITE, at, bytes(v, n), REAL(pwritev)(fd, v, n, at)); }
ssize_t pwritev64(int fd, const struct iovec *v, int n, off64_t at) { CHANGING(fd, WRITE, at, bytes(v, n), REAL(pwritev64)(fd, v, n, at)); }
ssize_t pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags) {
  CHANGING(fd, WRITE, at < 0 ? position(fd) : (uint64_t)at, bytes(v, n), REAL(pwritev2)(fd, v, n, at, flags));
}
ssize_t pwritev64v2(int fd, const struct iovec *v, int n, off64_t at, int flags) {
  CHANGING(fd, WRITE, at < 0 ? position(fd) : (uint64_t)at, bytes(v, n), REAL(pwritev64v2)(fd, v, n, at, flags));
}
int ftruncate(int fd, off_t size) { CHANGING(fd, SIZE, size, UINT64_MAX >> 1, REAL(ftruncate)(fd, size)); }
int ftruncate64(int fd, off64_t size) { CHANGING(fd, SIZE, size, UINT64_MAX >> 1, REAL(ftruncate64)(fd, size)); }
int fallocate(int fd, int mode, off_t at, off_t n) { CHANGING(fd, WRITE, at, n, REAL(fallocate)(fd, mode, at, n)); }
int fallocate64(int fd, int mode, off64_t at, off64_t n) { CHANGING(fd, WRITE, at, n, REAL(fallocate64)(fd, mode, at, n)); }
int posix_fallocate(int fd, off_t at, off_t n) { CHANGING(fd, WRITE, at, 0 * n, REAL(posix_fallocate)(fd, at, n)); }
int posix_fallocate64(int fd, off64_t at, off64_t n) { CHANGING(fd, WRITE, at, 0 * n, REAL(posix_fallocate64)(fd, at, n)); }

#define SYNCING(fd, call)                                                  \
  if (!ours_fd(fd)) return call;                                           \
  pthread_mutex_lock(&lock);                                               \
  uint64_t covers = seq;                                                   \
  pthread_mutex_unlock(&lock);                                             \
  int result = call;                                                       \
  if (result) return result;                                               \
  struct stat s;                                                           \
  fstat(fd, &s);                                                           \
  pthread_mutex_lock(&lock);                                               \
  put((Record){.kind = SYNC, .inode = s.st_ino, .offset = covers}, 0, 0, 0, 0); \
  pthread_mutex_unlock(&lock);                                             \
  return 0
int fsync(int fd) { SYNCING(fd, REAL(fsync)(fd)); }
int fdatasync(int fd) { SYNCING(fd, REAL(fdatasync)(fd)); }

int close(int fd) {
  if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = 0;
  return REAL(close)(fd);
}
int fclose(FILE *f) {
  int fd = fileno(f);
  if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = 0;
  return REAL(fclose)(f);
}
static int opening(int dir, const char *path, int flags, mode_t mode) {
  __typeof__(&openat) call = (__typeof__(&openat))real("openat");
  char full[4096];
  if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE) return call(dir, path, flags, mode);
  absolute(dir, path, full);
  if (!ours(full)) return call(dir, path, flags, mode);
  pthread_mutex_lock(&lock);
  int existed = !access(full, F_OK);
  if (!existed) put((Record){.kind = CREATE, .inode = directory_of(full)}, full, 0, 0, 0);
  if (existed && flags & O_TRUNC && !(flags & O_EXCL)) {
    int old = REAL(open)(full, O_RDWR | O_CLOEXEC);
    if (old >= 0) before(old, SIZE, 0, UINT64_MAX >> 1), REAL(close)(old);
  }
  int fd = call(dir, path, flags, mode), why = errno;
  pthread_mutex_unlock(&lock);
  if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = 0;
  errno = why;
  return fd;
}
#define MODE                                  \
  mode_t mode = 0;                            \
  if (flags & O_CREAT || flags & O_TMPFILE) { \
    va_list more;                             \
    va_start(more, flags);                    \
    mode = va_arg(more, mode_t);              \
    va_end(more);                             \
  }
int open(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE return opening(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE return opening(dir, path, flags, mode); }

// A second name for a file that loses its own; its path goes into the log.
static void keep(const char *path, char kept[4096]) {
  struct stat s;
  kept[0] = 0;
  if (lstat(path, &s) || S_ISDIR(s.st_mode)) return;
  snprintf(kept, 4096, "%s.kept/%d-%lu", log_path, getpid(), ++kept_count);
  if (link(path, kept)) kept[0] = 0;
}
static int moving(int from_dir, const char *from, int to_dir, const char *to) {
  char a[4096], b[4096], kept[4096];
  absolute(from_dir, from, a), absolute(to_dir, to, b);
  if (!ours(b)) return REAL(renameat)(from_dir, from, to_dir, to);
  pthread_mutex_lock(&lock);
  keep(b, kept);
  put((Record){.kind = RENAME, .inode = directory_of(b)}, a, b, kept, 0);
  int result = REAL(renameat)(from_dir, from, to_dir, to), why = errno;
  pthread_mutex_unlock(&lock);
  errno = why;
  return result;
}
int rename(const char *from, const char *to) { return moving(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int a, const char *from, int b, const char *to) { return moving(a, from, b, to); }
static int removing(int dir, const char *path, int flags) {
  char full[4096], kept[4096];
  absolute(dir, path, full);
  if (!ours(full) || flags) return REAL(unlinkat)(dir, path, flags);
  pthread_mutex_lock(&lock);
  keep(full, kept);
  if (kept[0]) put((Record){.kind = UNLINK, .inode = directory_of(full)}, full, 0, kept, 0);
  int result = REAL(unlinkat)(dir, path, flags), why = errno;
  pthread_mutex_unlock(&lock);
  errno = why;
  return result;
}
int unlink(const char *path) { return removing(AT_FDCWD, path, 0); }
int unlinkat(int dir, const char *path, int flags) { return removing(dir, path, flags); }
int remove(const char *path) {
  struct stat s;
  return !lstat(path, &s) && S_ISDIR(s.st_mode) ? REAL(remove)(path) : removing(AT_FDCWD, path, 0);
}
int mkdir(const char *path, mode_t mode) {
  char full[4096];
  absolute(AT_FDCWD, path, full);
  if (!ours(full) || !access(full, F_OK)) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&lock);
  put((Record){.kind = CREATE, .inode = directory_of(full)}, full, 0, 0, 0);
  int result = REAL(mkdir)(path, mode), why = errno;
  pthread_mutex_unlock(&lock);
  errno = why;
  return result;
}
int truncate(const char *path, off_t size) {
  char full[4096];
  absolute(AT_FDCWD, path, full);
  if (!ours(full)) return REAL(truncate)(path, size);
  int fd = REAL(open)(full, O_RDWR | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = ftruncate(fd, size), why = errno;
  close(fd);
  errno = why;
  return result;
}
int truncate64(const char *path, off64_t size) { return truncate(path, size); }
