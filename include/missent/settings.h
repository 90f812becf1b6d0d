/*
 * settings.h - missent.conf as a struct.
 *
 * WHAT    Every setting of the programs, read and checked.  missent.conf(5) explains each.
 * OWNS    MsSettings owns its strings; ms_settings_free().
 * ERRORS  MS_ERROR_CONFIG with file, line, key and what is allowed.
 * THREADS Immutable after load.
 * LIMITS  None beyond each setting's range.
 * NOT     Policies (policy.h) and kinds (kind.h) are files of their own.
 */
#ifndef MISSENT_SETTINGS_H
#define MISSENT_SETTINGS_H

#include <glib.h>
#include <stdbool.h>

#include "missent/budget.h"
#include "missent/config.h"
#include "missent/person.h"
#include "missent/redis.h"

/* The rows, for tools that list or check settings. */
extern const MsRow ms_settings_rows[];

typedef enum { MS_MODE_OBSERVE, MS_MODE_ENFORCE } MsMode;
extern const char *const ms_mode_names[];

/* Of the guard (guard.h); times in seconds.  missent.conf(5) explains each. */
typedef struct {
	guint fan_out, fan_out_domains, fan_in, repeat; /* 0: not looked at */
	guint fan_in_names;
	guint window;
	const char *const *customers; /* kinds that stand for one customer */
	guint keep, support;          /* history; keep 0: none */
	guint learn;                  /* so long a new memory is less strict with fan-in */
	/* bad ones in the window, among the last MS_GUARD_RECENT; 0: none */
	guint breaker, breaker_recent;
	guint breaker_window;
	guint cool_down, probes;      /* 0: only an operator resets it */
	guint volume;                 /* times the usual; 0: not looked at */
	bool by_template;             /* a stream is also of one template */
} MsGuardLimits;
#define MS_GUARD_RECENT 20
/* Passwords of documents, and bytes of one. */
#define MS_SECRETS_MOST 64
#define MS_SECRET_BYTES 127

/* What a billing system is asked with. */
typedef struct {
	const char *const *command;
	bool ldif; /* it prints that; else CSV */
	const char *map, *account, *encoding;
	gint64 max_shrink, max_moved, max_bad; /* per cent */
	gint64 timeout_ms;
} MsSyncSettings;

typedef struct {
	MsSection *root;

	MsMode mode;
	char *host; /* this mail host's name */
	bool host_given;
	const char *socket, *socket_group, *user;
	const char *const *accepted; /* checks of the doctor that somebody has looked at */
	const char *mail_log;        /* of the MTA, for the doctor; NULL: where it usually is */
	guint socket_mode;
	bool log_syslog, log_debug;
	bool policy_tests; /* a reload refuses policies whose tests fail */
	const char *state_dir;
	char *policy_dir, *kinds_file, *audit_file, *records_file, *spool_dir,
		*seen_file;
	const char *release_program, *postfix_config, *sendmail_config, *sendmail_queue,
		*sendmail_program;
	bool sendmail;      /* the MTA; else Postfix */
	gint64 stop_ms;     /* how long a stop waits for messages in flight */
	gint64 pause_ms;    /* no pause lasts longer */
	gint64 deadline_ms; /* for all steps of one message, from its end to the answer */
	gint64 hung_ms;     /* in hand longer, a message hangs */
	char *numbers_file;
	char *observing_file; /* how far policies are that observe until something */
	guint64 max_memory;  /* bytes of messages in flight */

	bool out_authenticated, out_local;
	const char *const *out_networks;
	const char *const *out_domains;

	struct {
		const char *socket;    /* of missent-agent: a path */
		const char *group;     /* that may ask it */
		const char *submit, *submit_user;
		char *submit_password;
		gint64 submit_timeout_ms;
		gint64 queue_timeout_ms; /* of missent-release */
		gint64 requeue_ms;     /* held longer, a message is released as if it were new */
		gint64 lost_ms; /* not on hold for so long, its record is that of a mail that is
		                 * gone; 0: never */
		/* deliveries that one decision may let out; -1: any number */
		gint64 two_person;
		const char *const *two_person_policies;
		MsPersonRules people;  /* who is who */
		/* to release what belongs to others; else their number does */
		bool others_need_two;
		gint64 expire_ms, warn_ms; /* 0: nothing expires */
		gint64 delay_patience_ms;  /* what waited and cannot be judged is held then */
		gint64 submit_recipients;  /* at most, in one mail that is submitted */
		gint64 keep_ms;            /* records of what is no longer held; 0: for ever */
		bool notice_sender;
		bool notice_reason;    /* returns tell the reviewer's words */
		/* how much of a message goes back with it: none, header, message */
		int notice_original;
		int language;          /* of notices: en, fr, de */
		gint64 notice_window_ms;
		const char *notice_from, *notice_contact;
		const char *const *notice_to;
		const char *const *digest_to;
		gint64 digest_ms;
		gint64 summary_ms;     /* 0: none is sent */
		const char *webhook_url, *webhook_key_file; /* NULL: nobody is told */
		gint64 webhook_timeout_ms;
		/* shared with the review page of several hosts; NULL: one host */
		const char *redis_key_file;
	} desk;
	struct {
		const char *listen, *user, *group;
		guint mode;
		const char *tls_cert, *tls_key;
		char *accounts_file, *audit_file, *mirror_file;
		bool mirror;           /* records of all hosts, through Redis */
		const char *const *proxy_peers;
		const char *proxy_header, *proxy_address; /* that name the user, and his address */
		bool proxy_vouches;    /* for the second person too */
		gint64 idle_ms, session_ms;
		bool subjects;         /* kept as they were written; else masked */
		/* reasons to choose from, a line each; NULL: the page's own */
		const char *reasons_file;
		const char *name;      /* of the site, on the page */
		/* where the page is, for who gets a notice; NULL: not said */
		const char *url;
	} review;

	struct {
		gint64 every_ms; /* 0: none is sent */
		gint64 timeout_ms;
		const char *const *listeners; /* smtp://..., or "sendmail" */
		const char *sender, *recipient, *kind, *identifier;
	} canary;
	struct {
		const char *const *clocks; /* ms_clock_parse(); none: "gdpr" */
		const char *templates;     /* of notices: a folder */
		const char *company, *contact;
	} incident;

	struct {
		bool log, digest, hosts; /* where checkpoints of the trail go */
		gint64 keep_ms;          /* how long lines are kept; 0: always */
		/* to the log, and how often other hosts are asked for theirs */
		gint64 every_ms;
		char *witness;           /* what is kept of them: a folder */
	} checkpoints;
	struct {
		const char *listen, *group; /* NULL: nobody is served */
		const char *textfile;
		gint64 every_ms;
	} metrics;
	struct {
		const char *const *mail_to;
		const char *mail_from, *relay;
		guint mail_most;            /* in an hour */
		const char *hook;           /* a program; NULL: none */
		gint64 hook_ms;             /* after which it is ended */
		/* 0: not looked at; the share in per cent */
		gint64 held_ms, unfinished_ms, stale_ms, beat_ms, unread_share, disk_free;
		gint64 unread_ms;           /* of how long */
		gint64 calm_ms;             /* nothing was counted for so long: it is over */
	} alerts;

	const char *reader_program;
	bool sandbox_optional, reader_restore;
	guint reader_workers, reader_jobs, reader_queue;
	gint64 reader_wait_ms;
	MsLimits limits;
	MsLimits judging; /* of one message (budget.h) */
	guint judging_queue;
	const char *const *passwords; /* of documents; those of the file among them */
	GPtrArray *secrets;           /* of char *: the same */
	const char *const *password_command;
	gint64 password_ms;
	guint ocr_pages; /* also where `ocr` is off: for policies that want it */
	guint64 cache_bytes;
	const char *ocr_program, *ocr_languages;

	int backend; /* MsBackendType */
	char *sqlite_file;
	MsRedisSettings redis;
	char *redis_password, *sentinel_password;
	const char *redis_prefix;
	char *key_file;
	bool digests;
	gint64 max_age_ms, verify_every_ms;
	const char *house, *tag_separators;
	char *house_file;    /* its own rows, for each import */
	bool house_needed;   /* it is named: it must be there */

	struct {
		bool enabled;
		char *sqlite_file;
		/* the site key, or its own; made when it is missing if `own_key` */
		char *key_file;
		const char *key_file_before; /* what was that before; or NULL */
		bool own_key;
		MsGuardLimits limits;
	} guard;
	MsSyncSettings sync;
} MsSettings;

MsSettings *ms_settings_load(const char *path, GError **error);
/* Without reading the files of passwords, for a program that needs and may read none. */
MsSettings *ms_settings_load_public(const char *path, GError **error);
void ms_settings_free(MsSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsSettings, ms_settings_free)

/* Where missentd says how a reload went that was asked for by a number (sigqueue(3)): "NUMBER
 * done POLICIES", or "NUMBER failed WHY".  The caller's. */
char *ms_reload_file(const MsSettings *settings);

/* By when a breach must be told: by rules that are known by name, or "TITLE: 2d" (m, h, d, w). */
typedef enum { MS_CLOCK_GDPR, MS_CLOCK_NIS2, MS_CLOCK_DORA, MS_CLOCK_OWN, MS_N_CLOCKS } MsClockRule;
/* `*title_out` and `*us_out` are those of MS_CLOCK_OWN. */
bool ms_clock_parse(
	const char *text, MsClockRule *rule_out, char **title_out, gint64 *us_out, GError **error);
/* For rows. */
bool ms_clock_check(const char *text, GError **error);

/* Is `address` (IPv4 or IPv6, text) in `network` ("192.0.2.0/24", "2001:db8::/32", "::1")? */
bool ms_network_contains(const char *network, const char *address);
/* For rows: is it a network? */
bool ms_network_check(const char *network, GError **error);

/* A socket of a milter, as libmilter writes it: local:/path, inet:port@host, inet6:port@host.  The
 * caller's; NULL: it is none. */
char *ms_socket_spec(const char *text, GError **error);
/* For rows: is it one? */
bool ms_socket_check(const char *text, GError **error);
/* The path of a Unix socket; NULL: it is none. */
const char *ms_socket_path(const char *spec);
struct sockaddr;
/* Calls `use` with its address, and returns what that does; false: it has none. */
bool ms_socket_use(const char *spec,
	bool (*use)(const struct sockaddr *address, guint len, void *user), void *user);
/* Does a milter answer there within `ms`: does it negotiate, or close because it is full? */
bool ms_socket_answers(const char *spec, int ms);

#endif
