// Sends prebuilt OTLP requests as fast as they are answered, or at a stated rate, and says exactly what was acknowledged.
//
// One thread, one epoll loop, one request in flight on each connection. For every request a template of the corpus (corpus.py) is copied
// into the connection's buffer and its patches are applied: id words become mix(seed + request * stride + index), times become now plus
// an offset. mix is a bijection, so no id ever repeats, and anyone who knows the seed can tell the ids of an acknowledged request.
//
// A refused (503, 429, UNAVAILABLE, ...) or broken request is sent again, unchanged, until it is answered or the time is over. Latency
// runs from the moment a request was due to its acknowledgement: waiting for a free connection and resending count.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WORD, HEX, NANOS, DIGITS };  // what a patch writes: 8 id bytes, 16 hex digits, a fixed64 time, a time of 19 digits
typedef struct {
  uint32_t at, kind;
  int64_t value;
} Patch;
typedef struct {
  uint32_t size, spans, patches;
  const Patch* patch;
  const uint8_t* body;
} Payload;
enum { IDLE, BUSY, WAITING };
typedef struct Connection {
  int fd, state;
  uint64_t number;
  const Payload* payload;
  double due, resume;
  uint8_t* body;
  char head[640];
  size_t head_size, sent;
  uint8_t reply[1 << 16];
  size_t got;
  void* session;
  uint8_t* out;
  size_t out_size, out_sent, body_read;
  int status, grpc_status, closed;
  uint32_t watching;
} Connection;

static struct {
  const char *corpus, *path, *headers, *type, *acknowledged;
  int port, grpc, resend, connections;
  double seconds, rate, grace;
  uint64_t seed, first, most;
} option = {.path = "/v1/traces",
            .headers = "",
            .type = "application/x-protobuf",
            .resend = 1,
            .connections = 4,
            .seconds = 10,
            .grace = 15,
            .most = UINT64_MAX};
static Payload* payloads;
static uint32_t payload_count, stride;
static size_t largest;
static int poller, in_flight;
static double begin, end;
static uint64_t next_number, issued_spans;
static FILE* acknowledged;
static struct {
  uint64_t requests, spans, bytes, rejected, broken, resent, late, refused_requests, refused_spans, open_requests, open_spans, code[600];
  char first_error[300];
} count;
static float* latency;
static size_t latency_count, latency_room;
static uint64_t per_second[700];

static volatile sig_atomic_t told_to_end;  // by SIGTERM: issue no more, report at once
static void on_signal(int number) { told_to_end = number; }
static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static uint64_t mix(uint64_t x) {  // the finaliser of splitmix64 (Steele, Lea, Flood 2014); corpus.py has the same
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}
static void fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(2);
}
static void note(const char* text, size_t size) {
  if (count.first_error[0]) return;
  size_t n = size < sizeof count.first_error - 1 ? size : sizeof count.first_error - 1;
  for (size_t i = 0; i < n; i++) count.first_error[i] = text[i] < 32 || text[i] > 126 || text[i] == '"' || text[i] == '\\' ? ' ' : text[i];
}

static void load_corpus(void) {
  int fd = open(option.corpus, O_RDONLY);
  struct stat s;
  if (fd < 0 || fstat(fd, &s)) fail(option.corpus);
  const uint8_t* p = mmap(0, s.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  if (p == MAP_FAILED) fail("mmap");
  if (s.st_size < 16 || memcmp(p, "OBSLOAD1", 8)) {
    fprintf(stderr, "%s is not a corpus of this program\n", option.corpus);
    exit(2);
  }
  memcpy(&payload_count, p + 8, 4);
  memcpy(&stride, p + 12, 4);
  p += 16;
  payloads = calloc(payload_count, sizeof *payloads);
  for (uint32_t i = 0; i < payload_count; i++) {
    Payload* one = &payloads[i];
    memcpy(one, p, 12);
    p += 16;
    one->patch = (const Patch*)p;
    p += (size_t)one->patches * sizeof(Patch);
    one->body = p;
    p += (one->size + 7) & ~7u;
    if (one->size > largest) largest = one->size;
  }
}
static void fill(Connection* c) {
  static const char hex[] = "0123456789abcdef";
  const Payload* p = c->payload;
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  int64_t wall = t.tv_sec * 1000000000LL + t.tv_nsec;
  uint64_t first = option.seed + c->number * stride;
  memcpy(c->body, p->body, p->size);
  for (const Patch *q = p->patch, *last = q + p->patches; q < last; q++) {
    uint8_t* at = c->body + q->at;
    uint64_t word;
    if (q->kind < NANOS) word = mix(first + (uint64_t)q->value);
    else word = (uint64_t)(wall + q->value);
    if (q->kind == WORD || q->kind == NANOS) memcpy(at, &word, 8);
    else if (q->kind == HEX)
      for (int i = 0; i < 8; i++) {
        uint8_t b = word >> (8 * i);
        at[2 * i] = hex[b >> 4];
        at[2 * i + 1] = hex[b & 15];
      }
    else
      for (int i = 18; i >= 0; i--, word /= 10) at[i] = '0' + word % 10;
  }
}

static void watch(Connection* c, uint32_t events) {
  if (c->watching == events) return;
  struct epoll_event e = {.events = events, .data.ptr = c};
  epoll_ctl(poller, c->watching ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e);
  c->watching = events;
}
static int grpc_open(Connection* c);
static void grpc_close(Connection* c);
static void grpc_begin(Connection* c);
static int grpc_write(Connection* c);
static int grpc_read(Connection* c);
static void hang_up(Connection* c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
  c->watching = 0;
  if (option.grpc) grpc_close(c);
}
static int dial(Connection* c) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(option.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr*)&to, sizeof to)) {
    hang_up(c);
    return -1;
  }
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  return option.grpc ? grpc_open(c) : 0;
}

static void over(Connection* c) {
  c->state = IDLE;
  in_flight--;
}
static void again(Connection* c, double after) {
  c->state = WAITING;
  c->resume = now_s() + after;
  count.resent++;
}
static void broken(Connection* c, const char* why) {
  hang_up(c);
  count.broken++;
  note(why, strlen(why));
  if (option.resend) {
    again(c, 0.05);
    return;
  }
  count.open_requests++;
  count.open_spans += c->payload->spans;
  over(c);
}
static uint64_t varint(const uint8_t** p, const uint8_t* end) {
  uint64_t v = 0;
  for (int shift = 0; *p < end && shift < 64; shift += 7) {
    uint8_t b = *(*p)++;
    v |= (uint64_t)(b & 127) << shift;
    if (b < 128) break;
  }
  return v;
}
static uint64_t rejected_in(const uint8_t* p,
                            size_t size) {  // of Export*ServiceResponse: its field 1 is a message whose field 1 is the count
  const uint8_t* end = p + size;
  if (size && *p == '{') {
    const char* at = memmem(p, size, "\"rejectedSpans\"", 15);
    return at ? strtoull(at + 16 + strspn(at + 16, " \""), 0, 10) : 0;
  }
  if (size < 2 || *p++ != 0x0a) return 0;
  varint(&p, end);
  return p < end && *p++ == 0x08 ? varint(&p, end) : 0;
}
static void answered(Connection* c, int code, int taken, int may_retry, double hint, const uint8_t* body, size_t size) {
  count.code[code < 600 ? code : 599]++;
  if (taken) {
    double now = now_s();
    uint64_t rejected = rejected_in(body, size);
    uint64_t good = c->payload->spans - (rejected < c->payload->spans ? rejected : c->payload->spans);
    if (latency_count == latency_room)
      latency = realloc(latency, (latency_room = latency_room ? latency_room * 2 : 1 << 16) * sizeof *latency);
    latency[latency_count++] = now - c->due;
    count.requests++;
    count.spans += good;
    count.bytes += c->payload->size;
    count.rejected += rejected;
    size_t second = now > begin ? now - begin : 0;
    if (second < 700) per_second[second] += good;
    if (acknowledged) fwrite(&c->number, 8, 1, acknowledged);
    over(c);
    return;
  }
  char text[280];
  int n = snprintf(text, sizeof text, "%d %.*s", code, (int)(size < 240 ? size : 240), body);
  note(text, n);
  if (may_retry && option.resend) again(c, hint > 0 && hint < 30 ? hint : 0.1);
  else {
    count.refused_requests++;
    count.refused_spans += c->payload->spans;
    over(c);
  }
}

static int http_write(Connection* c) {
  size_t total = c->head_size + c->payload->size;
  while (c->sent < total) {
    ssize_t k = c->sent < c->head_size ? send(c->fd, c->head + c->sent, c->head_size - c->sent, MSG_NOSIGNAL | MSG_MORE)
                                       : send(c->fd, c->body + c->sent - c->head_size, total - c->sent, MSG_NOSIGNAL);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0 && errno == EAGAIN) break;
    if (k < 0) return -1;
    c->sent += k;
  }
  watch(c, c->sent < total ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return 0;
}
static const char* header(const char* from, const char* to, const char* name) {
  size_t n = strlen(name);
  for (const char* line = from; line && line < to; line = strstr(line, "\r\n"), line = line ? line + 2 : 0)
    if (!strncasecmp(line, name, n) && line[n] == ':') return line + n + 1 + strspn(line + n + 1, " ");
  return 0;
}
static int http_read(Connection* c) {
  ssize_t k = recv(c->fd, c->reply + c->got, sizeof c->reply - 1 - c->got, 0);
  if (k < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (k <= 0) return -1;
  c->got += k;
  c->reply[c->got] = 0;
  const char *text = (char*)c->reply, *stop = strstr(text, "\r\n\r\n");
  if (!stop) return c->got < sizeof c->reply - 1 ? 0 : -1;
  const char *length = header(text, stop + 2, "content-length"), *wait = header(text, stop + 2, "retry-after"),
             *mode = header(text, stop + 2, "connection");
  if (!length) {
    note("a reply without Content-Length", 30);
    return -1;
  }
  size_t size = strtoul(length, 0, 10), start = stop + 4 - text;
  if (c->got < start + size) return c->got < sizeof c->reply - 1 ? 0 : -1;
  int code = atoi(text + 9), retry = code == 429 || code == 502 || code == 503 || code == 504;
  if (code == 100) {
    c->got = 0;
    return 0;
  }
  if (mode && !strncasecmp(mode, "close", 5)) hang_up(c);
  answered(c, code, code >= 200 && code < 300, retry, wait ? atof(wait) : 0, c->reply + start, size);
  return 0;
}

static void start(Connection* c) {
  c->state = BUSY;
  c->sent = c->got = 0;
  if (c->fd < 0 && dial(c)) {
    broken(c, "connection refused");
    return;
  }
  if (option.grpc) grpc_begin(c);
  else
    c->head_size =
        snprintf(c->head, sizeof c->head, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\n%sContent-Length: %u\r\n\r\n",
                 option.path, option.port, option.type, option.headers, c->payload->size);
  if (option.grpc ? grpc_write(c) : http_write(c)) broken(c, "connection lost while sending");
}
static double due_at(void) { return option.rate > 0 ? begin + issued_spans / option.rate : 0; }
static int more(double now) { return now < end && next_number < option.first + option.most && due_at() < end; }
static void issue(Connection* c, double now) {
  c->number = next_number++;
  c->payload = &payloads[c->number % payload_count];
  c->due = option.rate > 0 ? due_at() : now;
  if (now - c->due > 0.05) count.late++;
  issued_spans += c->payload->spans;
  in_flight++;
  fill(c);
  start(c);
}
#include "grpc.h"

static int ascending(const void* a, const void* b) {
  float x = *(float*)a, y = *(float*)b;
  return (x > y) - (x < y);
}
static double percentile(double share) { return latency_count ? latency[(size_t)((latency_count - 1) * share)] * 1e3 : 0; }
static void report(double elapsed, const struct rusage* used, const Connection* all) {
  uint64_t open_requests = count.open_requests, open_spans = count.open_spans;  // never answered: may be stored or not
  for (int i = 0; i < option.connections; i++)
    if (all[i].state == BUSY || all[i].state == WAITING) {
      open_requests++;
      open_spans += all[i].payload->spans;
    }
  qsort(latency, latency_count, sizeof *latency, ascending);
  printf(
      "{\"elapsed_s\":%.3f,\"requests\":%lu,\"spans\":%lu,\"spans_per_s\":%.0f,\"requests_per_s\":%.0f,\"bytes\":%lu,\"bytes_per_span\":%."
      "1f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,\"p99_ms\":%.2f,\"p999_ms\":%.2f,\"max_ms\":%.2f,",
      elapsed, count.requests, count.spans, count.spans / elapsed, count.requests / elapsed, count.bytes,
      count.spans ? (double)count.bytes / count.spans : 0, percentile(.5), percentile(.9), percentile(.99), percentile(.999),
      percentile(1));
  printf(
      "\"rejected_spans\":%lu,\"refused_requests\":%lu,\"refused_spans\":%lu,\"unanswered_requests\":%lu,\"unanswered_spans\":%lu,"
      "\"broken\":%lu,\"resent\":%lu,\"late\":%lu,\"issued_requests\":%lu,\"seed\":%lu,\"cpu_user_s\":%.2f,\"cpu_sys_s\":%.2f,\"codes\":{",
      count.rejected, count.refused_requests, count.refused_spans, open_requests, open_spans, count.broken, count.resent, count.late,
      next_number - option.first, option.seed, used->ru_utime.tv_sec + used->ru_utime.tv_usec * 1e-6,
      used->ru_stime.tv_sec + used->ru_stime.tv_usec * 1e-6);
  const char* comma = "";
  for (int i = 0; i < 600; i++)
    if (count.code[i]) {
      printf("%s\"%d\":%lu", comma, i, count.code[i]);
      comma = ",";
    }
  printf("},\"per_second\":[");
  for (int i = 0; i < 700 && i < elapsed; i++) printf("%s%lu", i ? "," : "", per_second[i]);
  printf("],\"first_error\":\"%s\"}\n", count.first_error);
}

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--corpus")) option.corpus = value;
    else if (!strcmp(name, "--path")) option.path = value;
    else if (!strcmp(name, "--type")) option.type = value;
    else if (!strcmp(name, "--headers")) option.headers = value;
    else if (!strcmp(name, "--port")) option.port = atoi(value);
    else if (!strcmp(name, "--grpc")) option.grpc = atoi(value);
    else if (!strcmp(name, "--resend")) option.resend = atoi(value);
    else if (!strcmp(name, "--connections")) option.connections = atoi(value);
    else if (!strcmp(name, "--seconds")) option.seconds = atof(value);
    else if (!strcmp(name, "--rate")) option.rate = atof(value);
    else if (!strcmp(name, "--grace")) option.grace = atof(value);
    else if (!strcmp(name, "--seed")) option.seed = strtoull(value, 0, 10);
    else if (!strcmp(name, "--first")) option.first = strtoull(value, 0, 10);
    else if (!strcmp(name, "--requests")) option.most = strtoull(value, 0, 10);
    else if (!strcmp(name, "--acknowledged")) option.acknowledged = value;
    else {
      fprintf(stderr, "unknown option %s\n", name);
      return 2;
    }
  }
  if (!option.corpus || !option.port) {
    fprintf(stderr, "--corpus and --port are needed\n");
    return 2;
  }
  if (option.seconds > 600) option.seconds = 600;
  if (option.grpc && !grpc_built) {
    fprintf(stderr, "built without gRPC: install libnghttp2-dev\n");
    return 3;
  }
  if (option.acknowledged && !(acknowledged = fopen(option.acknowledged, "wb"))) fail(option.acknowledged);
  signal(SIGTERM, on_signal);
  load_corpus();
  poller = epoll_create1(EPOLL_CLOEXEC);
  next_number = option.first;
  Connection* all = calloc(option.connections, sizeof *all);
  for (int i = 0; i < option.connections; i++) {
    all[i].fd = -1;
    all[i].body = malloc(largest + 8);
    if (option.grpc) all[i].out = malloc(OUT_ROOM);
  }
  struct rusage used;
  begin = now_s();
  end = begin + option.seconds;
  for (double now = begin; (now = now_s()) < end + option.grace && !told_to_end;) {
    double wake = end + option.grace;
    for (int i = 0; i < option.connections; i++) {
      Connection* c = &all[i];
      if (c->state == WAITING) {
        if (c->resume <= now) start(c);
        else if (c->resume < wake) wake = c->resume;
      }
      if (c->state == IDLE && more(now)) {
        if (due_at() <= now) issue(c, now);
        else if (due_at() < wake) wake = due_at();
      }
      if (c->state == WAITING && c->resume < wake) wake = c->resume;
      if (c->state == IDLE && more(now) && option.rate <= 0) wake = now;
    }
    if (!in_flight && !more(now)) break;
    struct epoll_event events[64];
    double wait = wake - now_s();
    if (wait < 0) wait = 0;
    struct timespec limit = {(time_t)wait, (long)((wait - (time_t)wait) * 1e9)};
    int n = epoll_pwait2(poller, events, 64, &limit, 0);
    for (int i = 0; i < n; i++) {
      Connection* c = events[i].data.ptr;
      int bad = 0;
      if (c->fd < 0) continue;
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (c->state == BUSY) bad = option.grpc ? grpc_read(c) : http_read(c);
        else {
          char drop[256];
          ssize_t k = option.grpc ? grpc_read(c) : recv(c->fd, drop, sizeof drop, 0);
          if (option.grpc ? k : k == 0 || (k < 0 && errno != EAGAIN)) hang_up(c);
          continue;
        }
      }
      if (!bad && c->fd >= 0 && c->state == BUSY && events[i].events & EPOLLOUT) bad = option.grpc ? grpc_write(c) : http_write(c);
      if (bad && c->state == BUSY) broken(c, "connection lost");
    }
  }
  double elapsed = now_s() - begin;
  getrusage(RUSAGE_SELF, &used);
  report(elapsed, &used, all);
  if (acknowledged) fclose(acknowledged);
  return 0;
}
