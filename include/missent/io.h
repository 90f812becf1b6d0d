/*
 * io.h - bytes over local sockets, files that several make, and becoming an ordinary user.
 *
 * WHAT    What every process of ours does with a socket that is not the MTA's, with a file that
 *         whoever comes first makes, and at its start.
 * OWNS    Descriptors are the caller's.
 * ERRORS  False and errno; or GError.
 * THREADS Safe, but for what belongs to a program's start: ms_io_usual_start(), ms_io_listen()
 *         (umask), and what asks for users by name, ms_io_become() and ms_io_give_to().
 * LIMITS  None; what waits says for how long, ms_io_send() and ms_io_receive() as the socket does.
 * NOT     No protocol.
 */
#ifndef MISSENT_IO_H
#define MISSENT_IO_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* All of it, or false. */
bool ms_io_send(int socket, const void *data, gsize len);
bool ms_io_receive(int socket, void *data, gsize len);
struct sockaddr;
/* A connection that does not block, made within `ms`; -1 and errno (EAGAIN: who listens there takes
 * none). */
int ms_io_connect(const struct sockaddr *address, guint address_len, int ms);
/* Asks who listens there, and waits for `ms`: is there an answer, or is the connection closed?
 * Both show that somebody took it. */
bool ms_io_answers(
	const struct sockaddr *address, guint address_len, const void *ask, gsize len, int ms);
/* Replaces a socket of that path that nobody listens on (else EADDRINUSE); it is closed to others
 * until group (NULL: ours) and mode are set.  -1 and errno. */
int ms_io_listen(const char *path, const char *group, guint mode);
/* The end of that: it is closed (-1: it is already), and its file goes, unless it is another's by
 * now, who began when ours had been taken away. */
void ms_io_leave_socket(int listening, const char *path);
/* Who looks whether somebody listens at a path, and then takes it, does so with this held, until it
 * is closed: two who come at once would take each other's.  Waits two seconds at most. */
int ms_io_claim_sockets(const char *path);
/* Does somebody, now?  Nobody is waited for. */
bool ms_io_somebody_listens(const char *path);
/* A file that root has made becomes that of its folder's owner: the operator's commands and the
 * daemons work on the same files. */
void ms_io_like_folder(int fd, const char *path);
/* If it is one; errno stays as it is. */
void ms_io_close(int fd);
/* All of it, or false and errno. */
bool ms_io_write(int fd, const void *data, gsize len);
/* open() of a file among ours: of what else may have its name (a pipe, where others may write too)
 * nobody waits for who comes to its other end.  -1 and errno (EMEDIUMTYPE: it is no file). */
int ms_io_open(const char *path, int flags);
/* All of one, with a NUL behind it; `len_out` may be NULL.  G_FILE_ERROR. */
bool ms_io_contents(const char *path, char **text_out, gsize *len_out, GError **error);
/* A name that was made, changed or removed is on disk when its folder is.  False and errno. */
bool ms_io_sync_folder(const char *folder);
/* errno: does the host lack something for now?  Who waits for it to come is started again. */
bool ms_io_is_want(int system);
/* Does its file system refuse what is new (errno: why)?  One that met an error may say of itself
 * that it does not. */
bool ms_io_takes_nothing(const char *folder);
/* How many more files it takes; very many where it does not count them, or cannot be asked. */
guint64 ms_io_files_left(const char *folder);
#define MS_IO_FEW_FILES 1000 /* too few for mail that comes */
/* Could this process have so many more, now? */
bool ms_io_has_descriptors(guint n);
/* Does the file system of a file have room for so much more, and then for mail?  One that cannot be
 * asked has. */
bool ms_io_has_room(const char *path, guint64 bytes);
/* "what: why", as MS_ERROR_RETRY where that is a want, else as MS_ERROR_CONFIG; false. */
bool ms_io_fail(GError **error, const char *what, int system);
/* A folder, opened to be listed; NULL and as ms_io_fail().  What cannot be looked into is never
 * taken for empty. */
GDir *ms_io_open_folder(const char *path, GError **error);
/* Sees to it that there is such a file, whole from the first moment on: with its bytes, its mode
 * and the owner of its folder, on disk.  Of several that make it at once one does; what is there
 * stays as it is (`*made_out`, or NULL).  False and errno: there is none. */
bool ms_io_make(const char *path, const void *data, gsize len, guint mode, bool *made_out);
/* Puts a file in the place of the one of that name, or where there is none: whole, with its mode
 * and the owner of its folder, and with `sync` on disk.  False and errno. */
bool ms_io_replace(const char *path, const void *data, gsize len, guint mode, bool sync);
/* The same with all that another file has, on disk; where one of that name is, false and EEXIST,
 * unless `again`. */
bool ms_io_copy(const char *path, int from, guint mode, bool again);
/* Who is killed amid one of these three leaves a file beside: such files of a folder go when they
 * are an hour old. */
void ms_io_sweep(const char *folder);
/* Sees to it that there is such a folder: one that is made has that mode, and the owner of the one
 * around it, which has to be there.  False and errno. */
bool ms_io_make_folder(const char *path, guint mode);
/* Is it the open file that has this name now?  What is written into another nobody finds. */
bool ms_io_has_name(int fd, const char *path);
/* Opens a file of no bytes that is there for its lock, made where there is none.  -1 and errno. */
int ms_io_open_lock(const char *path);
/* flock(), for which mail waits: at most so long (MS_IO_LOCK_MS), or MS_IO_PROBE_MS where it was
 * found held before, so that one holder costs one wait; 0: not at all.  False and errno
 * (EWOULDBLOCK: another has it still).  Takes SIGRTMIN for itself. */
bool ms_io_lock(int fd, int how, gint64 wait_ms);
#define MS_IO_LOCK_MS 5000
#define MS_IO_PROBE_MS 100
/* Owner and group (-1: as it is) and mode of what has that name itself: of a link it is refused,
 * for in a folder of others it may lead to any file.  False and errno. */
bool ms_io_give(const char *path, uid_t owner, gid_t group, guint mode);
/* A file that root has made becomes that user's with mode 0400.  Nothing to do for who is not
 * root. */
bool ms_io_give_to(const char *path, const char *user, GError **error);
/* Gives up root for that user, for good; nothing to do for who is not root.  MS_ERROR_INPUT: there
 * is no such user, or it is root. */
bool ms_io_become(const char *user, GError **error);
/* Which file has that name now, and of when: another text whenever it was changed, came or went.
 * "" for none. */
char *ms_io_stamp(const char *path);
/* Removes a folder of ours with all that is in it; a link goes, and not what it leads to. */
void ms_io_remove_folder(const char *folder);
/* At a program's start, whatever it was started with: writing to who went away is an error, the end
 * of a child is told, and what is opened later is never standard input, output or error. */
void ms_io_usual_start(void);
/* A thread that takes no signal, for those are the program's: a library may begin one before the
 * program has said what becomes of them.  `name`: 15 bytes at most.  False and errno. */
bool ms_io_thread(pthread_t *thread_out, const char *name, void *(*run)(void *), void *user);
/* Waits until that child of ours has ended: what waitpid() says of it; -1: nobody knows how it
 * ended, so it did not end well. */
int ms_io_wait(pid_t pid);
/* The same until `end` of g_get_monotonic_time(), or until `*stop` is set (NULL: it never is).
 * True: it has ended, and its number is nobody else's until ms_io_wait(). */
bool ms_io_ends(pid_t pid, gint64 end, const volatile int *stop);
/* Ends it by force, with `group` also what it leads a group of, and waits MS_IO_KILL_MS at most: a
 * process that waits for a disk ends when that answers.  As ms_io_wait(). */
int ms_io_kill(pid_t pid, bool group);
#define MS_IO_KILL_MS 5000
/* A new folder below that for temporary files, which nobody else may look into: gone with
 * ms_io_scratch_end(), or with this process, however it ends.  A child of ours waits for that; a
 * child that others make has to have executed a program by then.  NULL and `*error`. */
typedef struct MsScratch MsScratch;
MsScratch *ms_io_scratch(const char *name, GError **error);
const char *ms_io_scratch_path(const MsScratch *scratch);
void ms_io_scratch_end(MsScratch *scratch); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsScratch, ms_io_scratch_end)
/* From now on this process writes no core file and others of its user may not look into it.  A
 * program that it starts is as others are, but for the core file. */
void ms_io_private_memory(void);

#endif
