/*
 * One connection to a Redis server: bytes, deadlines, bounds.
 *
 * Commands are put, then their replies got, in order.  A deadline (monotonic, microseconds) is for
 * all of what a call does, however slowly bytes come.  After anything but MS_WIRE_FINE the
 * connection is good for nothing.
 */
#ifndef MISSENT_STORE_REDIS_WIRE_H
#define MISSENT_STORE_REDIS_WIRE_H

#include <pthread.h>

#include "missent/store.h"

typedef struct MsWire MsWire;
typedef struct MsTls MsTls;

typedef struct {
	char *path; /* of a Unix socket, or NULL */
	char *host;
	int port;
	char *name; /* "Redis at ..." */
} MsWhere;

typedef enum {
	MS_WIRE_FINE,
	MS_WIRE_LATE,       /* the deadline passed */
	MS_WIRE_CLOSED,     /* by the other side, or never opened */
	MS_WIRE_ODD,        /* not the protocol, or more than is taken */
	MS_WIRE_CALLED_OFF, /* by who waits for nothing more of this server */
	MS_WIRE_FORBIDDEN,  /* by us: a certificate that is not theirs */
} MsWireEnd;

typedef struct {
	MsTls *tls;      /* NULL: plain text */
	gsize max_bytes; /* of one reply */
	int call_off;    /* a descriptor that is readable when waiting is over; -1: none */
} MsWireHow;

/* `what` is "Redis" or "Sentinel". */
bool ms_where_parse(const char *address, const char *what, MsWhere *where_out, GError **error);
void ms_where_clear(MsWhere *where);
/* A Unix socket, or a loopback address: nobody else is on the way. */
bool ms_where_is_here(const MsWhere *where);

MsWireEnd ms_wire_open(const MsWhere *where, const MsWireHow *how, gint64 deadline,
	MsWire **wire_out, GError **error);
void ms_wire_free(MsWire *wire);
/* `lens`: of the words, or NULL. */
void ms_wire_put(MsWire *wire, gsize argc, const char *const *argv, const gsize *lens);
/* Bytes that were put and are not sent yet. */
gsize ms_wire_unsent(const MsWire *wire);
/* Sends what can be sent without waiting; what ends it is told by ms_wire_get(). */
void ms_wire_push(MsWire *wire);
MsWireEnd ms_wire_get(MsWire *wire, gint64 deadline, MsReply **reply_out, GError **error);
/* Waits until `fd` is ready, or something ends it. */
MsWireEnd ms_wire_wait(int fd, short events, int call_off, gint64 deadline);

/* ---- TLS ---- */

MsTls *ms_tls_new(const MsRedisSettings *settings, GError **error);
void ms_tls_free(MsTls *tls);
typedef struct MsTlsEnd MsTlsEnd;
MsWireEnd ms_tls_begin(MsTls *tls, int fd, const MsWhere *where, int call_off, gint64 deadline,
	MsTlsEnd **end_out, GError **error);
void ms_tls_end_free(MsTlsEnd *end);
/* Bytes moved; 0 when it must wait for `*events` first; -1: it has ended. */
gssize ms_tls_read(MsTlsEnd *end, void *data, gsize len, short *events);
gssize ms_tls_write(MsTlsEnd *end, const void *data, gsize len, short *events);

#endif
