/*
 * The kernel is asked whether a user comes to a socket, or reads a file.
 *
 * That is done in a child that becomes that user below that root, as the MTA's processes do.  The
 * child uses system calls alone: this process has threads.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "missent/io.h"

#include "doctor_private.h"

typedef struct {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	int n_groups;
} User;

static bool find_user(const char *name, User *user)
{
	const struct passwd *pw = getpwnam(name);
	user->n_groups = G_N_ELEMENTS(user->groups);
	if (pw == NULL || getgrouplist(name, pw->pw_gid, user->groups, &user->n_groups) < 0)
		return false;
	user->uid = pw->pw_uid;
	user->gid = pw->pw_gid;
	return true;
}

typedef struct {
	const char *root, *dir;
	struct sockaddr_un address;
} Socket;

static bool become(const User *user)
{
	return setgroups((size_t)user->n_groups, user->groups) == 0 &&
		setresgid(user->gid, user->gid, user->gid) == 0 &&
		setresuid(user->uid, user->uid, user->uid) == 0;
}

/* In the child: 0, or why not. */
static int try_socket(const User *user, const void *what)
{
	const Socket *s = what;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (s->root != NULL && (chroot(s->root) != 0 || chdir("/") != 0))
		return errno;
	if (s->root == NULL && s->dir != NULL && chdir(s->dir) != 0)
		return errno;
	if (!become(user))
		return errno;
	if (connect(fd, (const struct sockaddr *)&s->address, sizeof s->address) == 0 ||
		errno == EAGAIN)
		return 0; /* whether somebody takes it is another question */
	return errno;
}

static int try_file(const User *user, const void *path)
{
	return become(user) && open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) >= 0 ? 0 : errno;
}

static int ask(const char *name, int (*try)(const User *user, const void *what), const void *what)
{
	User user;
	if (geteuid() != 0)
		return EPERM;
	if (!find_user(name, &user))
		return ESRCH;
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child == 0)
		_exit(try(&user, what) & 0xff);
	int status = ms_io_wait(child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int ask_socket(const char *name, const char *root, const char *dir, const char *path)
{
	Socket s = {root, dir, {.sun_family = AF_UNIX}};
	if (g_strlcpy(s.address.sun_path, path, sizeof s.address.sun_path) >=
		sizeof s.address.sun_path)
		return ENAMETOOLONG;
	return ask(name, try_socket, &s);
}

int ask_file(const char *name, const char *path)
{
	return ask(name, try_file, path);
}
