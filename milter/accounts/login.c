/*
 * Logging in, proving anew, and who waits for it: a name with what shall prove it comes in from
 * the agent, a session or a wait goes out.  From any thread; a failure is counted on disk before
 * it is looked at, so that many at the same moment are not more tries, and hashing, which is
 * dear, is done by few at a time.
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "missent/answer.h"
#include "missent/clock.h"
#include "missent/password.h"

#include "accounts_private.h"

const char *const ms_by_names[MS_N_BY + 1] = {"password", "code", "proxy", "token", NULL};
const char *const ms_login_names[MS_N_LOGINS + 1] = {
	"fine", "wrong", "code", "wait", "busy", "unable", "error", NULL};

#define SECOND ((gint64)G_USEC_PER_SEC)
#define FORGET_US (3600 * SECOND)      /* failures, when nothing came after them */
#define KNOWN_US (90 * 86400 * SECOND) /* from where somebody logged in */
#define AHEAD_US (600 * SECOND)         /* clocks that are set right are by less */
#define SESSIONS_MOST "50"              /* of one name; older ones end */
#define NAME_TRIES 20 /* from all new sources together, before each of them waits */
#define EARLY_MOST 20 /* codes of a name that are looked at before their time, within an hour */

void ms_session_free(MsSession *session)
{
	if (session == NULL)
		return;
	ms_account_free(session->account);
	g_free(session->csrf);
	g_free(session->actor);
	g_free(session);
}

void ms_pass_clear(MsPass *pass)
{
	g_clear_pointer(&pass->session, g_free);
	g_clear_pointer(&pass->device, g_free);
}

/* ---- lanes ---------------------------------------------------------------------------- */

void lane_init(Lane *lane, guint most_running, guint most_waiting)
{
	pthread_mutex_init(&lane->lock, NULL);
	pthread_cond_init(&lane->freed, NULL);
	lane->most_running = most_running;
	lane->most_waiting = most_waiting;
}

void lane_destroy(Lane *lane)
{
	pthread_mutex_destroy(&lane->lock);
	pthread_cond_destroy(&lane->freed);
}

/* False: too many wait. */
static bool lane_enter(Lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	bool fine = lane->running < lane->most_running || lane->waiting < lane->most_waiting;
	if (fine) {
		lane->waiting++;
		while (lane->running >= lane->most_running)
			pthread_cond_wait(&lane->freed, &lane->lock);
		lane->waiting--;
		lane->running++;
	}
	pthread_mutex_unlock(&lane->lock);
	return fine;
}

static void lane_leave(Lane *lane)
{
	pthread_mutex_lock(&lane->lock);
	lane->running--;
	pthread_cond_signal(&lane->freed);
	pthread_mutex_unlock(&lane->lock);
}

/* ---- who waits ------------------------------------------------------------------------ */

/* What counts for one try. */
typedef struct {
	MsAccounts *accounts;
	const MsTry *try;
	char *name;
	char *source; /* an address, or the network that one customer of a provider has */
	char *own;    /* whose failures make it wait: a browser, a name from a source, a source */
	bool known;   /* was here before */
} Door;

static void door_clear(Door *door)
{
	g_free(door->name);
	g_free(door->source);
	g_free(door->own);
}

static char *source_of(const char *address)
{
	struct in6_addr six;
	char text[INET6_ADDRSTRLEN];
	if (inet_pton(AF_INET6, address, &six) != 1)
		return g_strndup(address, 64);
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		inet_ntop(AF_INET, &six.s6_addr[12], text, sizeof text);
		return g_strdup(text);
	}
	memset(&six.s6_addr[8], 0, 8);
	inet_ntop(AF_INET6, &six, text, sizeof text);
	return g_strdup(text);
}

static bool is_known(const Door *door, const char *what)
{
	gint64 n = 0;
	gint64 since = ms_clock_now() - KNOWN_US;
	accounts_ask_number(door->accounts,
		"SELECT count(*) AS n FROM known WHERE name=:name AND what=:what AND at > :since",
		MS_SQL_VALUES(MS_SQL_TEXT("name", door->name), MS_SQL_TEXT("what", what),
			MS_SQL_NUMBER("since", since)),
		&n, NULL);
	return n > 0;
}

/* This host's own: a proxy that does not say for whom, a tunnel.  One guesser there is not all. */
static bool is_shared(const char *source)
{
	return strcmp(source, "::") == 0 || g_str_has_prefix(source, "127.");
}

static Door door_of(MsAccounts *accounts, const MsTry *try)
{
	Door door = {.accounts = accounts, .try = try, .name = accounts_name(accounts, try->name),
		.source = source_of(try->source)};
	g_autofree char *hash = accounts_hash(try->device);
	g_autofree char *device = g_strconcat("browser ", hash, NULL);
	g_autofree char *source = g_strconcat("source ", door.source, NULL);
	if (*try->device != '\0' && is_known(&door, device)) {
		door.known = true;
		door.own = g_steal_pointer(&device);
	} else if (is_known(&door, source) || is_shared(door.source)) {
		door.known = is_known(&door, source);
		door.own = g_strconcat("pair ", door.source, " ", door.name, NULL);
	} else {
		door.own = g_steal_pointer(&source);
	}
	return door;
}

typedef struct {
	gint64 n, at;
} Failures;

static void take_failures(MsSqlRow *row, void *user)
{
	*(Failures *)user = (Failures){ms_sql_number(row, "n"), ms_sql_number(row, "at")};
}

static Failures failures_of(const Door *door, const char *what)
{
	Failures f = {0, 0};
	gint64 since = ms_clock_now() - FORGET_US;
	accounts_ask(door->accounts,
		"SELECT n, at FROM failure WHERE what=:what AND at > :since",
		MS_SQL_VALUES(MS_SQL_TEXT("what", what), MS_SQL_NUMBER("since", since)),
		take_failures, &f, NULL);
	return f;
}

/* 4, 8, 16, ... seconds after so many failures. */
static gint64 delay(gint64 failures, gint64 free, gint64 most)
{
	if (failures < free)
		return 0;
	return failures - free >= 20 ? most : MIN((gint64)4 << (failures - free), most);
}

/* What a clock that was ahead wrote down is of now: else each wait for it would begin anew until
 * the clock is there. */
static bool set_right(const Door *door, GError **error)
{
	gint64 now = ms_clock_now();
	return accounts_run(door->accounts, "UPDATE failure SET at=:now WHERE at > :now",
		MS_SQL_VALUES(MS_SQL_NUMBER("now", now)), error);
}

/* What is left of a wait of so many seconds that was begun then: never more than all of it. */
static gint64 rest_of(gint64 begun, gint64 wait)
{
	gint64 rest = begun + wait * SECOND - ms_clock_now();
	return CLAMP((rest + SECOND - 1) / SECOND, 0, wait);
}

static void put_slot(const Door *door, const char *slot, gint64 when)
{
	accounts_run(door->accounts, "INSERT OR REPLACE INTO slot VALUES (:slot, :when)",
		MS_SQL_VALUES(MS_SQL_TEXT("slot", slot), MS_SQL_NUMBER("when", when)), NULL);
}

/* A name that is guessed at from many places: who is new there waits for himself, whatever
 * others do. */
static gint64 wait_for_name(const Door *door, const char *of_name)
{
	gint64 wait = delay(failures_of(door, of_name).n, NAME_TRIES, 30), at = 0;
	if (wait == 0)
		return 0;
	g_autofree char *slot = g_strconcat(door->source, " ", door->name, NULL);
	if (!accounts_ask_number(door->accounts,
		    "SELECT at AS n FROM slot WHERE what=:slot",
		    MS_SQL_VALUES(MS_SQL_TEXT("slot", slot)), &at, NULL))
		return wait;
	gint64 when = ms_clock_now() + wait * SECOND;
	if (at > when) { /* by a clock that was ahead */
		put_slot(door, slot, when);
		return wait;
	}
	gint64 rest = at != 0 ? rest_of(at - wait * SECOND, wait) : wait;
	if (rest == 0) {
		accounts_run(door->accounts, "DELETE FROM slot WHERE what=:slot",
			MS_SQL_VALUES(MS_SQL_TEXT("slot", slot)), NULL);
		return 0;
	}
	if (at != 0)
		return rest;
	put_slot(door, slot, when);
	return wait;
}

static bool count_failure(const Door *door, const char *what, gint64 by, GError **error)
{
	gint64 now = ms_clock_now();
	gint64 old = ms_clock_now() - FORGET_US;
	return accounts_run(door->accounts,
		"INSERT INTO failure VALUES (:what, max(0, :by), :now) ON CONFLICT DO UPDATE"
		" SET n=max(0, CASE WHEN at < :old THEN 0 ELSE n END + :by),"
		" at=CASE WHEN :by > 0 THEN :now ELSE at END",
		MS_SQL_VALUES(MS_SQL_TEXT("what", what), MS_SQL_NUMBER("by", by),
			MS_SQL_NUMBER("now", now), MS_SQL_NUMBER("old", old)),
		error);
}

static bool sweep(const Door *door, GError **error)
{
	gint64 old = ms_clock_now() - FORGET_US;
	return accounts_run(door->accounts, "DELETE FROM failure WHERE at < :old",
		       MS_SQL_VALUES(MS_SQL_NUMBER("old", old)), error) &&
	       accounts_run(door->accounts, "DELETE FROM slot WHERE at < :old",
		       MS_SQL_VALUES(MS_SQL_NUMBER("old", old)), error);
}

static char *of_name(const Door *door)
{
	return g_strconcat("name ", door->name, NULL);
}

/* Under one lock: looked at, and counted as if it had failed.  `*wait_out` 0: it may be looked
 * at. */
static bool count(const Door *door, bool coded, gint64 *wait_out, GError **error)
{
	g_autofree char *name = of_name(door);
	if (!set_right(door, error))
		return false;
	Failures f = failures_of(door, door->own);
	*wait_out = rest_of(f.at,
		delay(f.n, MS_TRIES, door->known || is_shared(door->source) ? 60 : 900));
	if (*wait_out == 0 && !door->known && !coded)
		*wait_out = wait_for_name(door, name);
	if (*wait_out > 0)
		return true;
	return sweep(door, error) && count_failure(door, door->own, 1, error) &&
	       (door->known || count_failure(door, name, 1, error));
}

static bool enter(const Door *door, bool coded, gint64 *wait_out, GError **error)
{
	return accounts_begin(door->accounts, error)
		&& accounts_end(door->accounts, count(door, coded, wait_out, error), error);
}

/* It was no failure after all; what came before it stays counted. */
static bool not_failed(const Door *door, GError **error)
{
	g_autofree char *name = of_name(door);
	return count_failure(door, door->own, -1, error) &&
	       (door->known || count_failure(door, name, -1, error));
}

/* Who has proved it is known from now on, and what he mistyped before is forgotten. */
static bool remember(const Door *door, const char *what, GError **error)
{
	gint64 now = ms_clock_now();
	gint64 old = ms_clock_now() - KNOWN_US;
	return accounts_run(door->accounts,
		       "INSERT OR REPLACE INTO known VALUES (:name, :what,"
		       " :now)",
		       MS_SQL_VALUES(MS_SQL_TEXT("name", door->name),
			       MS_SQL_TEXT("what", what), MS_SQL_NUMBER("now", now)),
		       error) &&
	       accounts_run(door->accounts, "DELETE FROM known WHERE at < :old",
		       MS_SQL_VALUES(MS_SQL_NUMBER("old", old)), error);
}

/* ---- what proves it ------------------------------------------------------------------- */

static MsLogin hash_password(const Door *door, const char *hash)
{
	Lane *lane = door->known ? &door->accounts->known : &door->accounts->strangers;
	if (!lane_enter(lane))
		return MS_LOGIN_BUSY;
	bool fine = strlen(door->try->password) <= 1024 &&
		ms_password_matches(hash, door->try->password);
	lane_leave(lane);
	return fine ? MS_LOGIN_FINE : MS_LOGIN_WRONG;
}

static void take_hash(MsSqlRow *row, void *user)
{
	*(char **)user = g_strdup(ms_sql_text(row, "hash"));
}

static char *kept_hash(const Door *door, GError **error)
{
	char *hash = NULL;
	if (!accounts_ask(door->accounts,
		    "SELECT hash FROM user WHERE name=:name AND disabled='0' AND hash<>''",
		    MS_SQL_VALUES(MS_SQL_TEXT("name", door->name)), take_hash, &hash,
		    error))
		g_clear_pointer(&hash, g_free);
	return hash;
}

/* Constant work: whoever is not there takes as long as who is. */
static MsLogin check_password(const Door *door, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autofree char *hash = kept_hash(door, &why);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return MS_LOGIN_ERROR;
	}
	return hash_password(door, hash);
}

static MsLogin look_at_code(const Door *door, bool take, GError **error)
{
	bool right = false;
	if (!accounts_code(door->accounts, door->name, door->try->code, take, &right, error))
		return MS_LOGIN_ERROR;
	return right ? MS_LOGIN_FINE : MS_LOGIN_WRONG;
}

/* Under one lock: how long a code waits, or it is counted as if it were wrong. */
static bool count_code(const Door *door, const char *what, gint64 *wait_out, GError **error)
{
	if (!set_right(door, error))
		return false;
	Failures f = failures_of(door, what);
	*wait_out = rest_of(f.at, delay(f.n, MS_TRIES, 900));
	return *wait_out > 0 || count_failure(door, what, 1, error);
}

/* Codes are few, so guesses at them are counted for the name, from wherever they come: whoever
 * makes one has the password.  A browser that was here before has the count of its own alone. */
static MsLogin check_code(const Door *door, gint64 *wait_out, GError **error)
{
	g_autofree char *what = g_strconcat("code ", door->name, NULL);
	if (g_str_has_prefix(door->own, "browser "))
		return look_at_code(door, true, error);
	if (!accounts_begin(door->accounts, error) ||
		!accounts_end(
			door->accounts, count_code(door, what, wait_out, error), error))
		return MS_LOGIN_ERROR;
	if (*wait_out > 0)
		return MS_LOGIN_WAIT;
	MsLogin result = look_at_code(door, true, error);
	return result == MS_LOGIN_FINE && !count_failure(door, what, -1, error) ? MS_LOGIN_ERROR
										: result;
}

/* A look that tells whether a code is right, to who need not know the password: some of them. */
static bool count_early(const Door *door, const char *what, bool *may_out, GError **error)
{
	*may_out = failures_of(door, what).n < EARLY_MOST;
	return !*may_out || count_failure(door, what, 1, error);
}

/* A name that is guessed at: who has its second factor is not kept waiting with the others. */
static MsLogin look_early(const Door *door, GError **error)
{
	g_autofree char *name = of_name(door), *what = g_strconcat("early ", door->name, NULL);
	bool may = false;
	if (door->known || *door->try->code == '\0' ||
		delay(failures_of(door, name).n, NAME_TRIES, 30) == 0)
		return MS_LOGIN_WRONG;
	if (!accounts_begin(door->accounts, error) ||
		!accounts_end(door->accounts, count_early(door, what, &may, error), error))
		return MS_LOGIN_ERROR;
	MsLogin result = may ? look_at_code(door, false, error) : MS_LOGIN_WRONG;
	return result == MS_LOGIN_FINE && !count_failure(door, what, -1, error) ? MS_LOGIN_ERROR
										: result;
}

/* ---- sessions ------------------------------------------------------------------------- */

static char *begin_session(MsAccounts *accounts, const char *name, MsBy by, GError **error)
{
	g_autofree char *id = accounts_random();
	g_autofree char *hash = accounts_hash(id);
	g_autofree char *csrf = accounts_random();
	gint64 now = ms_clock_now();
	if (!accounts_run(accounts,
		    "INSERT INTO session VALUES (:hash, :name, :csrf, :now, :now, :how)",
		    MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_TEXT("name", name),
			    MS_SQL_TEXT("csrf", csrf), MS_SQL_NUMBER("now", now),
			    MS_SQL_TEXT("how", ms_by_names[by])),
		    error) ||
		!accounts_run(accounts, "UPDATE user SET seen=:now WHERE name=:name",
			MS_SQL_VALUES(MS_SQL_TEXT("name", name), MS_SQL_NUMBER("now", now)), error)
		/* behind a proxy a program without cookies begins one with each request
		 */
		||
		!accounts_run(accounts,
			"DELETE FROM session WHERE name=:name AND (used > :ahead OR hash NOT IN"
			" (SELECT hash FROM session WHERE name=:name AND used <= :ahead"
			" ORDER BY used DESC, began DESC LIMIT " SESSIONS_MOST "))",
			MS_SQL_VALUES(MS_SQL_TEXT("name", name),
				MS_SQL_NUMBER("ahead", now + AHEAD_US)),
			error))
		return NULL;
	return g_steal_pointer(&id);
}

static void take_session(MsSqlRow *row, void *user)
{
	MsSession *session = g_new0(MsSession, 1);
	session->account = accounts_account(row);
	session->actor = g_strdup(session->account->name);
	session->csrf = g_strdup(ms_sql_text(row, "csrf"));
	session->by = MS_BY_PROXY;
	for (int i = 0; i < MS_N_BY; i++)
		if (strcmp(ms_by_names[i], ms_sql_text(row, "how")) == 0)
			session->by = (MsBy)i;
	*(MsSession **)user = session;
}

MsSession *ms_accounts_session(MsAccounts *accounts, const char *id, gint64 idle_us, gint64 age_us,
	GError **error)
{
	gint64 now = ms_clock_now();
	g_autofree char *hash = accounts_hash(id);
	gint64 used = now - idle_us;
	gint64 began = now - age_us;
	/* one that a clock which was ahead began, or used, would not end before that time */
	gint64 ahead = now + AHEAD_US;
	MsSession *session = NULL;
	accounts_ask(accounts,
		"SELECT " ACCOUNT ", csrf, how FROM session JOIN user USING (name)"
		" WHERE session.hash=:hash AND used > :used AND used <= :ahead"
		" AND began > :began AND began <= :ahead AND disabled='0'",
		MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_NUMBER("used", used),
			MS_SQL_NUMBER("began", began), MS_SQL_NUMBER("ahead", ahead)),
		take_session, &session, error);
	return session;
}

/* Not with each of many requests: a page and its pictures are one use. */
void ms_accounts_session_used(MsAccounts *accounts, const char *id, gint64 idle_us)
{
	gint64 now = ms_clock_now();
	g_autofree char *hash = accounts_hash(id);
	accounts_run(accounts, "UPDATE session SET used=:at WHERE hash=:hash AND used < :lately",
		MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_NUMBER("at", now),
			MS_SQL_NUMBER("lately", now - MIN(10 * SECOND, idle_us / 4))),
		NULL);
}

bool ms_accounts_logout(MsAccounts *accounts, const char *id, GError **error)
{
	g_autofree char *hash = accounts_hash(id);
	gint64 old = ms_clock_now() - 30 * 86400 * SECOND;
	return accounts_run(accounts,
		"DELETE FROM session WHERE hash=:hash OR began < :old",
		MS_SQL_VALUES(MS_SQL_TEXT("hash", hash), MS_SQL_NUMBER("old", old)),
		error);
}

char *ms_accounts_admit(MsAccounts *accounts, const char *name, GError **error)
{
	g_autoptr(MsAccount) account = ms_accounts_find(accounts, name, error);
	return account != NULL && !account->disabled
		? begin_session(accounts, account->name, MS_BY_PROXY, error)
		: NULL;
}

/* ---- logging in ----------------------------------------------------------------------- */

/* The password first, dear as it is: who has none learns nothing of codes. */
static MsLogin check_both(const Door *door, bool totp, gint64 *wait_out, GError **error)
{
	MsLogin result = check_password(door, error);
	if (result != MS_LOGIN_FINE || !totp)
		return result;
	return *door->try->code == '\0' ? MS_LOGIN_CODE : check_code(door, wait_out, error);
}

static bool welcome(const Door *door, bool totp, MsPass *pass, GError **error)
{
	g_autofree char *source = g_strconcat("source ", door->source, NULL);
	g_autofree char *device = g_str_has_prefix(door->own, "browser ")
		? g_strdup(door->try->device)
		: accounts_random();
	g_autofree char *hash = accounts_hash(device);
	g_autofree char *browser = g_strconcat("browser ", hash, NULL);
	if (!not_failed(door, error) || !remember(door, source, error) ||
		!remember(door, browser, error) ||
		(door->known &&
			!accounts_run(door->accounts,
				"DELETE FROM failure WHERE what=:own",
				MS_SQL_VALUES(MS_SQL_TEXT("own", door->own)), error)))
		return false;
	pass->session = begin_session(
		door->accounts, door->name, totp ? MS_BY_CODE : MS_BY_PASSWORD, error);
	pass->device = g_steal_pointer(&device);
	return pass->session != NULL;
}

static MsLogin login(const Door *door, const MsAccount *account, MsPass *pass, GError **error)
{
	bool totp = account != NULL && account->totp;
	MsLogin early = totp ? look_early(door, error) : MS_LOGIN_WRONG;
	if (early == MS_LOGIN_ERROR ||
		!enter(door, early == MS_LOGIN_FINE, &pass->wait, error))
		return MS_LOGIN_ERROR;
	if (pass->wait > 0)
		return MS_LOGIN_WAIT;
	MsLogin result = check_both(door, totp, &pass->wait, error);
	bool looked_at = result == MS_LOGIN_FINE || result == MS_LOGIN_WRONG ||
		result == MS_LOGIN_ERROR;
	if (!looked_at && !not_failed(door, error))
		return MS_LOGIN_ERROR;
	return result == MS_LOGIN_FINE && !welcome(door, totp, pass, error) ? MS_LOGIN_ERROR
									    : result;
}

MsLogin ms_accounts_login(MsAccounts *accounts, const MsTry *try, MsPass *pass, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsAccount) account = ms_accounts_find(accounts, try->name, &why);
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return MS_LOGIN_ERROR;
	}
	Door door = door_of(accounts, try);
	MsLogin result = login(&door, account, pass, error);
	door_clear(&door);
	return result;
}

/* His session is good, so that others who guess at his name do not make him wait: his own
 * failures do. */
static Door own_door(MsAccounts *accounts, const MsTry *try)
{
	Door door = {.accounts = accounts, .try = try, .name = accounts_name(accounts, try->name),
		.source = source_of(try->source), .known = true};
	door.own = g_strconcat("proof ", door.name, " ", try->device, NULL);
	return door;
}

static MsLogin prove(const Door *door, const MsAccount *account, gint64 *wait_out, GError **error)
{
	if (account->totp && *door->try->code == '\0')
		return MS_LOGIN_CODE;
	if (!enter(door, false, wait_out, error))
		return MS_LOGIN_ERROR;
	if (*wait_out > 0)
		return MS_LOGIN_WAIT;
	MsLogin result = account->totp ? look_at_code(door, true, error)
				       : check_password(door, error);
	if (result == MS_LOGIN_BUSY)
		return not_failed(door, error) ? result : MS_LOGIN_ERROR;
	if (result == MS_LOGIN_FINE &&
		!accounts_run(door->accounts, "DELETE FROM failure WHERE what=:own",
			MS_SQL_VALUES(MS_SQL_TEXT("own", door->own)), error))
		return MS_LOGIN_ERROR;
	return result;
}

MsLogin ms_accounts_prove(MsAccounts *accounts, const MsTry *try, gint64 *wait_out, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(MsAccount) account = ms_accounts_find(accounts, try->name, &why);
	*wait_out = 0;
	if (why != NULL) {
		g_propagate_error(error, g_steal_pointer(&why));
		return MS_LOGIN_ERROR;
	}
	if (account == NULL || account->disabled || (!account->totp && !account->password))
		return MS_LOGIN_UNABLE;
	Door door = own_door(accounts, try);
	MsLogin result = prove(&door, account, wait_out, error);
	door_clear(&door);
	return result;
}
