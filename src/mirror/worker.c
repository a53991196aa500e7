/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  A database's worker: publishes its committed versions.
 *
 * It loops over rounds of publish.c, and sleeps when nothing is due: until it
 * is woken by a commit, until the next attempt for a table that failed, at
 * most for deltatx.mirror_naptime.
 *
 * The extension may vanish at any time between two transactions.  DROP
 * EXTENSION stops the worker first (hooks.c); other ways to drop it don't.
 * Therefore each transaction first locks the extension itself, as the drop
 * does before it locks the members: who comes second waits there, holding
 * nothing that the first one could want, so there is no deadlock.  Then it
 * looks whether the extension is still there, and the same.
 *
 * An error ends the process; the launcher starts another after a while.  What
 * concerns one table only is caught in publish.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "deltatx.h"
#include "mirror/horizon.h"
#include "mirror/process.h"
#include "mirror/shared.h"
#include "mirror/worker.h"

/* A steady stream of versions must not keep dropped tables from being cleared away. */
#define SWEEP_INTERVAL_MS	1000

PGDLLEXPORT void deltatx_worker_main(Datum arg);

static Oid	extension_oid;
static char database_name[NAMEDATALEN];
static char doing[WORKER_DOING_SIZE];

static void connect_to(Oid database);
static void pin_settings(void);
static void find_extension(void);
static void require_extension(void);
static void loop(void);
static void work(long *sleep_ms);
static void describe(void *arg);

void
deltatx_worker_main(Datum arg)
{
	WorkerOrder order;
	ErrorContextCallback context = {.callback = describe};

	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(order));
	deltatx_process_start();
	if (!deltatx_shared_attach_worker(&order))
		proc_exit(0);

	context.previous = error_context_stack;
	error_context_stack = &context;
	connect_to(order.database);
	find_extension();
	loop();
}

static void
connect_to(Oid database)
{
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	pin_settings();
	pgstat_report_appname("deltatx worker");

	StartTransactionCommand();
	strlcpy(database_name, get_database_name(database), sizeof(database_name));
	CommitTransactionCommand();
}

/*
 * Whatever database or role settings say.  synchronous_commit is what makes
 * versions durable before they are published, see publish.c; local, because
 * waiting for standbys is a promise to committers, who have waited already.
 */
static void
pin_settings(void)
{
	static const char *const settings[][2] = {
		{"synchronous_commit", "local"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		{"statement_timeout", "0"},
		{"lock_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"transaction_timeout", "0"},	/* since 17 */
	};

	for (int i = 0; i < lengthof(settings); i++)
	{
		if (GetConfigOption(settings[i][0], true, false) != NULL)
			SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
	}
}

/* If there is none, then this was a probe. */
static void
find_extension(void)
{
	StartTransactionCommand();
	extension_oid = get_extension_oid("deltatx", true);
	CommitTransactionCommand();

	if (OidIsValid(extension_oid))
		deltatx_shared_found_extension();
	else
	{
		deltatx_shared_will_end(WORKER_WITHOUT_EXTENSION);
		proc_exit(0);
	}
}

void
deltatx_worker_begin(CatalogScope *scope)
{
	MemoryContext caller = CurrentMemoryContext;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	require_extension();
	PushActiveSnapshot(GetTransactionSnapshot());
	deltatx_scope_enter(scope);
	MemoryContextSwitchTo(caller);
}

/* An extension made anew has other tables; then a new worker is to look. */
static void
require_extension(void)
{
	LockDatabaseObject(ExtensionRelationId, extension_oid, 0, AccessShareLock);
	if (get_extension_oid("deltatx", true) == extension_oid)
		return;

	CommitTransactionCommand();
	deltatx_shared_will_end(WORKER_STOPPED);
	proc_exit(0);
}

void
deltatx_worker_commit(CatalogScope *scope)
{
	MemoryContext caller = CurrentMemoryContext;

	deltatx_scope_leave(scope);
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(caller);
	pgstat_report_stat(false);
}

void
deltatx_worker_doing(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(doing, sizeof(doing), format, args);
	va_end(args);

	deltatx_shared_beat(doing);
	pgstat_report_activity(STATE_RUNNING, doing);
}

static void
loop(void)
{
	MemoryContext round_context = AllocSetContextCreate(TopMemoryContext, "deltatx worker round",
														ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		long		sleep_ms;

		MemoryContextSwitchTo(round_context);
		MemoryContextReset(round_context);
		deltatx_process_interrupts();
		work(&sleep_ms);
		if (sleep_ms == 0)
			continue;
		deltatx_shared_beat("idle");
		pgstat_report_activity(STATE_IDLE, NULL);
		doing[0] = '\0';
		deltatx_process_sleep(sleep_ms, "DeltatxWorkerMain");
	}
}

/* One round; how long to sleep after it. */
static void
work(long *sleep_ms)
{
	static TimestampTz swept_at;
	TimestampTz due = DT_NOEND;
	TimestampTz now;
	bool		more = false;

	*sleep_ms = deltatx_mirror_naptime;
	if (!deltatx_mirror_enabled)
		return;

	more = deltatx_publish_round(&due);
	now = GetCurrentTimestamp();
	if (!more || TimestampDifferenceExceeds(swept_at, now, SWEEP_INTERVAL_MS))
	{
		more = deltatx_sweep_round() || more;
		swept_at = now;
	}
	deltatx_horizon_round(&due);

	if (more)
		*sleep_ms = 0;
	else if (!TIMESTAMP_IS_NOEND(due))
		*sleep_ms = Min(*sleep_ms, Max(1, TimestampDifferenceMilliseconds(now, due)));
}

static void
describe(void *arg)
{
	if (doing[0] != '\0')
		errcontext("deltatx worker of database \"%s\", %s", database_name, doing);
	else
		errcontext("deltatx worker of database \"%s\"", database_name);
}
