// gRPC over HTTP/2 for sender.c: one session and one unary call at a time on each connection; frames by libnghttp2.
#define OUT_ROOM (1 << 18)
#if __has_include(<nghttp2/nghttp2.h>)
#include <nghttp2/nghttp2.h>
static const int grpc_built = 1;

static ssize_t on_body(nghttp2_session* s, int32_t id, uint8_t* to, size_t room, uint32_t* flags, nghttp2_data_source* source, void* user) {
  (void)s, (void)id, (void)user;
  Connection* c = source->ptr;
  size_t size = c->payload->size, total = 5 + size, n = 0;
  const uint8_t prefix[5] = {0, size >> 24, size >> 16, size >> 8, size};  // not compressed, length in network order
  while (n < room && c->body_read < 5) to[n++] = prefix[c->body_read++];
  size_t k = total - c->body_read < room - n ? total - c->body_read : room - n;
  memcpy(to + n, c->body + c->body_read - 5, k);
  c->body_read += k;
  if (c->body_read == total) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return n + k;
}
static int on_header(nghttp2_session* s, const nghttp2_frame* f, const uint8_t* name, size_t name_size, const uint8_t* value, size_t size,
                     uint8_t flags, void* user) {
  (void)s, (void)f, (void)flags;
  Connection* c = user;
  (void)size;
  if (name_size == 7 && !memcmp(name, ":status", 7)) c->status = atoi((const char*)value);
  else if (name_size == 11 && !memcmp(name, "grpc-status", 11)) c->grpc_status = atoi((const char*)value);
  else if (name_size == 12 && !memcmp(name, "grpc-message", 12) && c->grpc_status != 0) note((const char*)value, size);
  return 0;
}
static int on_data(nghttp2_session* s, uint8_t flags, int32_t id, const uint8_t* data, size_t size, void* user) {
  (void)s, (void)flags, (void)id;
  Connection* c = user;
  if (c->got + size < sizeof c->reply) {
    memcpy(c->reply + c->got, data, size);
    c->got += size;
  }
  return 0;
}
static int on_close(nghttp2_session* s, int32_t id, uint32_t error, void* user) {
  (void)s, (void)id, (void)error;
  ((Connection*)user)->closed = 1;
  return 0;
}

static int grpc_open(Connection* c) {
  nghttp2_session_callbacks* calls;
  nghttp2_session* session;
  nghttp2_session_callbacks_new(&calls);
  nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
  int bad = nghttp2_session_client_new(&session, calls, c);
  nghttp2_session_callbacks_del(calls);
  if (bad) return -1;
  c->session = session;
  c->out_size = c->out_sent = 0;
  return nghttp2_submit_settings(session, 0, 0, 0);
}
static void grpc_close(Connection* c) {
  if (c->session) nghttp2_session_del(c->session);
  c->session = 0;
}
static void grpc_begin(Connection* c) {
  char host[32];
  snprintf(host, sizeof host, "127.0.0.1:%d", option.port);
#define FIELD(n, v) {(uint8_t*)n, (uint8_t*)v, strlen(n), strlen(v), 0}
  nghttp2_nv fields[] = {FIELD(":method", "POST"),
                         FIELD(":scheme", "http"),
                         FIELD(":path", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
                         FIELD(":authority", host),
                         FIELD("content-type", "application/grpc"),
                         FIELD("te", "trailers")};
  nghttp2_data_provider body = {.source.ptr = c, .read_callback = on_body};
  c->closed = c->status = 0;
  c->grpc_status = -1;
  c->body_read = 0;
  nghttp2_submit_request(c->session, 0, fields, sizeof fields / sizeof *fields, &body, c);
}
static int grpc_write(Connection* c) {
  nghttp2_session* s = c->session;
  for (;;) {
    if (c->out_sent == c->out_size) c->out_sent = c->out_size = 0;
    while (c->out_size + 17000 < OUT_ROOM) {  // one frame is at most 16384 + 9 bytes
      const uint8_t* frame;
      ssize_t k = nghttp2_session_mem_send(s, &frame);
      if (k < 0) return -1;
      if (k == 0) break;
      memcpy(c->out + c->out_size, frame, k);
      c->out_size += k;
    }
    if (c->out_sent == c->out_size) break;
    ssize_t k = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
    if (k < 0 && errno == EAGAIN) {
      watch(c, EPOLLIN | EPOLLOUT);
      return 0;
    }
    if (k < 0 && errno != EINTR) return -1;
    if (k > 0) c->out_sent += k;
  }
  watch(c, EPOLLIN);
  return 0;
}
static int grpc_read(Connection* c) {
  uint8_t in[1 << 16];
  ssize_t k = recv(c->fd, in, sizeof in, 0);
  if (k < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (k <= 0 || nghttp2_session_mem_recv(c->session, in, k) < 0) return -1;
  if (grpc_write(c)) return -1;  // acknowledges settings and pings, and goes on where the window was full
  if (!c->closed || c->state != BUSY) return 0;
  c->closed = 0;
  int code = c->grpc_status;
  if (code < 0) return -1;  // the stream ended without a status: not answered
  int retry = code == 14 || code == 4 || code == 1 || code == 10 || code == 11 || code == 15;  // those that OTLP calls retryable
  size_t skip = c->got > 5 ? 5 : c->got;
  answered(c, code, code == 0, retry, 0.1, c->reply + skip, c->got - skip);
  return 0;
}
#else
static const int grpc_built = 0;
static int grpc_open(Connection* c) {
  (void)c;
  return -1;
}
static void grpc_close(Connection* c) { (void)c; }
static void grpc_begin(Connection* c) { (void)c; }
static int grpc_write(Connection* c) {
  (void)c;
  return -1;
}
static int grpc_read(Connection* c) {
  (void)c;
  return -1;
}
#endif
