/*
 * The kernel is asked whether a user comes to a socket.
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

/* In the child: 0, or why not. */
static int try_as(
	const User *user, const char *root, const char *dir, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (root != NULL && (chroot(root) != 0 || chdir("/") != 0))
		return errno;
	if (root == NULL && dir != NULL && chdir(dir) != 0)
		return errno;
	if (setgroups((size_t)user->n_groups, user->groups) != 0 ||
		setresgid(user->gid, user->gid, user->gid) != 0 ||
		setresuid(user->uid, user->uid, user->uid) != 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
		return 0; /* whether somebody takes it is another question */
	return errno;
}

int ask_socket(const char *name, const char *root, const char *dir, const char *path)
{
	User user;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
		return ENAMETOOLONG;
	if (geteuid() != 0)
		return EPERM;
	if (!find_user(name, &user))
		return ESRCH;
	pid_t child = fork();
	if (child < 0)
		return errno;
	if (child == 0)
		_exit(try_as(&user, root, dir, &address) & 0xff);
	int status = ms_io_wait(child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}
