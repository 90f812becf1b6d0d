/*
 * io.h - bytes over local sockets, and becoming an ordinary user.
 *
 * WHAT    What every process of ours does with a socket that is not the MTA's, and at its start.
 * OWNS    Descriptors are the caller's.
 * ERRORS  False and errno; or GError.
 * THREADS Safe, but for ms_io_become() and ms_io_listen() (umask), which belong to the start.
 * LIMITS  None; timeouts are those set on the socket.
 * NOT     No protocol.
 */
#ifndef MISSENT_IO_H
#define MISSENT_IO_H

#include <glib.h>
#include <stdbool.h>

/* All of it, or false. */
bool ms_io_send(int socket, const void *data, gsize len);
bool ms_io_receive(int socket, void *data, gsize len);
struct sockaddr;
/* Asks who listens there, and waits for `ms`: is there an answer, or is the connection closed?
 * Both show that somebody took it. */
bool ms_io_answers(
	const struct sockaddr *address, guint address_len, const void *ask, gsize len, int ms);
/* Replaces a socket of that path that nobody listens on (else EADDRINUSE); it is closed to others
 * until group (NULL: ours) and mode are set.  -1 and errno. */
int ms_io_listen(const char *path, const char *group, guint mode);
/* Does somebody, now? */
bool ms_io_somebody_listens(const char *path);
/* A file that root has made becomes that of its folder's owner: the operator's commands and the
 * daemons work on the same files. */
void ms_io_like_folder(int fd, const char *path);
/* A file that root has made becomes that user's with mode 0400, or with `group_only` root's,
 * which that user's group may read (0640).  Nothing to do for who is not root. */
bool ms_io_give_to(const char *path, const char *user, bool group_only, GError **error);
/* Gives up root for that user, for good; nothing to do for who is not root.  MS_ERROR_INPUT: there
 * is no such user, or it is root. */
bool ms_io_become(const char *user, GError **error);
/* Which file has that name now, and of when: another text whenever it was changed, came or went.
 * "" for none. */
char *ms_io_stamp(const char *path);
/* Removes a folder of ours with all that is in it; a link goes, and not what it leads to. */
void ms_io_remove_folder(const char *folder);
/* From now on this process writes no core file and others of its user may not look into it.  A
 * program that it starts is as others are, but for the core file. */
void ms_io_private_memory(void);

#endif
