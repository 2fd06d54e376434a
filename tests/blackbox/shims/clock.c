// A wall clock that can be set (LD_PRELOAD): CLOCK_REALTIME and all that rests on it is moved by the nanoseconds in the file $CLOCK_FILE,
// read anew at every call, so a test can set the clock while the process runs. Monotonic clocks go on as they do in the world.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;
static int (*real_gettime)(clockid_t, struct timespec *);

static void begin(void) {
  real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  const char *path = getenv("CLOCK_FILE");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *page = fd < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) abort();
  close(fd);
  offset = page;
}
int clock_gettime(clockid_t clock, struct timespec *t) {
  if (!offset) begin();
  int bad = real_gettime(clock, t);
  if (bad || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return bad;
  int64_t now = t->tv_sec * 1000000000LL + t->tv_nsec + *offset;
  t->tv_sec = now / 1000000000, t->tv_nsec = now % 1000000000;
  return 0;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int bad = clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
  return bad;
}
time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
