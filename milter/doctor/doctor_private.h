/* Shared by the checks.  A check looks at a patient, and complains through it. */
#ifndef MISSENT_DOCTOR_PRIVATE_H
#define MISSENT_DOCTOR_PRIVATE_H

#include <sys/types.h>

#include "missent/doctor.h"
#include "missent/mtaconf.h"

typedef struct {
	const MsDoctorOptions *options;
	MsRuntime *runtime;
	const MsSettings *s;
	const MsCheckRow *row; /* of the check that looks now */
	GPtrArray *complaints;
	MsPostfix *postfix; /* what postconf says, once it was asked */
	bool postfix_asked;
} Patient;

GPtrArray *complaints_new(void);
/* With the gravity and the remedy of the row. */
void complain(Patient *p, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* With others; `remedy` NULL: the row's. */
void complain_as(Patient *p, MsGravity gravity, const char *remedy, const char *format, ...)
	G_GNUC_PRINTF(4, 5);
/* `where` missent stands before the milter `behind`. */
void complain_not_last(Patient *p, const char *where, const char *behind);
/* It could not be looked at. */
void not_seen(Patient *p, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* May this process not come to that file, or (`write`) not connect to that socket?  Then it is not
 * known what is there; that is said (files.c).  `path` NULL: false. */
bool is_closed(Patient *p, const char *path, bool write);

/* ---- of the host (ask.c) ---- */

/* May this user connect to that socket?  0, or an errno.  `root`: what the user's process takes
 * for /; or NULL.  `dir`: where it is at work.  Only root can ask for others: else EPERM. */
int ask_socket(const char *user, const char *root, const char *dir, const char *path);
/* May this user read that file, or folder? */
int ask_file(const char *user, const char *path);

/* ---- the checks, by file ---- */

void check_policy_lint(Patient *p);
void check_outgoing(Patient *p);
void check_names(Patient *p);
void check_page(Patient *p);
void check_page_key(Patient *p);
void check_proxy(Patient *p);
void check_sandbox(Patient *p);
void check_programs(Patient *p);
void check_socket(Patient *p);
void check_accepted(Patient *p);

void check_state_files(Patient *p);
void check_databases(Patient *p);
void check_readable(Patient *p);
void check_key_files(Patient *p);
void check_password_files(Patient *p);
void check_named_files(Patient *p);
void check_desk_key(Patient *p);
void check_release(Patient *p);
void check_disk(Patient *p);
void check_clock(Patient *p);
void check_rotation(Patient *p);

void check_postfix(Patient *p);
void check_postfix_listeners(Patient *p);
void check_postfix_local(Patient *p);
void check_postfix_overrides(Patient *p);
void check_postfix_maps(Patient *p);
void check_postfix_order(Patient *p);
void check_postfix_action(Patient *p);
void check_postfix_timeouts(Patient *p);
void check_postfix_protocol(Patient *p);
void check_postfix_ids(Patient *p);
void check_postfix_socket(Patient *p);
void check_postfix_rewriting(Patient *p);
void check_postfix_networks(Patient *p);
void check_postfix_instances(Patient *p);
void check_postfix_filters(Patient *p);
/* What keeps it from being asked about mail that comes in so (ways.c). */
void postfix_way(Patient *p, MsWay way, const char *instance, const char *service);
void sendmail_way(Patient *p, MsWay way, const char *daemon);
/* What postconf says, once it was asked.  NULL, and nothing said: there is none; the row "postfix"
 * says it. */
MsPostfix *postfix_of(Patient *p, GError **error);
/* A setting of main.cf, or NULL. */
const char *postfix_setting(Patient *p, const char *name);

void check_sendmail(Patient *p);
void check_sendmail_order(Patient *p);
void check_sendmail_action(Patient *p);
void check_sendmail_timeouts(Patient *p);
void check_sendmail_daemons(Patient *p);
void check_sendmail_rewriting(Patient *p);

void check_directory(Patient *p);
void check_refused(Patient *p);
void check_directory_used(Patient *p);
void check_guard_used(Patient *p);
void check_house(Patient *p);
void check_customers(Patient *p);
void check_redis_ways(Patient *p);
void check_redis_open(Patient *p);
void check_redis_user(Patient *p);
void check_redis_persistence(Patient *p);
void check_redis_eviction(Patient *p);
void check_redis_memory(Patient *p);
void check_redis_replica(Patient *p);

void check_daemon(Patient *p);
void check_agent(Patient *p);
void check_probe(Patient *p);
void check_senders(Patient *p);

#endif
