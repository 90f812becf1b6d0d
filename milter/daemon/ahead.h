/* What an MTA has sent already: see ahead.c. */
#ifndef MISSENT_AHEAD_H
#define MISSENT_AHEAD_H

#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

/* A connection that was accepted; one that is about to be closed. */
void ahead_begin(int fd);
void ahead_end(int fd);

/* As poll() of that one, and read(), would have answered; false: ask the kernel. */
bool ahead_poll(struct pollfd *one, int *rc_out);
bool ahead_read(int fd, void *data, gsize len, ssize_t *n_out);

/* Is it one that something of an MTA comes from? */
bool ahead_waits(const struct pollfd *one);

/* Nothing came for as long as libmilter waited. */
void ahead_idle(int fd);

#endif
