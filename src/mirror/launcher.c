/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Starts a worker in every database that has the extension.
 *
 * Whether a database has the extension can be seen only by connecting to it.
 * So the launcher, which sees nothing but the shared catalogs, sends a worker
 * everywhere; one that finds no extension goes away again at once and was a
 * mere probe.  To bound the cost of many databases, only one worker that has
 * not yet seen the extension is out at any time, and a database without it is
 * visited again only
 *
 *	- when CREATE EXTENSION is committed there, or a deltatx transaction that
 *	  found no worker to wake (say, after CREATE EXTENSION of something that
 *	  requires deltatx);
 *	- very rarely without a reason, should a request have been lost: CREATE
 *	  EXTENSION in a prepared transaction makes none.
 *
 * New databases are found by reading pg_database now and then.
 *
 * What has to be survived, and how:
 *
 *	- A worker fails: it is started again with a delay that doubles up to a
 *	  minute, and is forgotten once it has run for that long.
 *	- The launcher fails: the postmaster starts it again, it finds the running
 *	  workers in shared memory and leaves them alone.  A worker that had been
 *	  registered but not yet attached either attaches, or is given up after a
 *	  minute.
 *	- Some backend crashes: all processes end, shared memory is initialized
 *	  anew, and the postmaster starts only us again.  Should a worker be the
 *	  one that crashes, and do so again, workers are held back for longer and
 *	  longer, so that the server can be used in between.
 *	- No worker slot is free: asked for again, with one log message.
 *	- A database is dropped or renamed: see hooks.c.
 *	- A standby: BgWorkerStart_RecoveryFinished starts us upon promotion.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "mirror/launcher.h"
#include "mirror/process.h"
#include "mirror/shared.h"

#define LAUNCHER_RESTART_SECONDS	5
#define LIST_INTERVAL_MS	60000	/* how often pg_database is read */
#define VISIT_INTERVAL_MS	3600000 /* how often a database without the extension is visited */
#define RETRY_MIN_MS	1000	/* delay before a failed worker is started again ... */
#define RETRY_MAX_MS	60000	/* ... and up to where it doubles */
#define NO_SLOT_RETRY_MS	10000

typedef struct KnownDatabase
{
	Oid			oid;			/* hash key */
	bool		listed;			/* in pg_database when last read */
	bool		has_extension;	/* as far as we know */
	bool		active;			/* a worker is there or on its way */
	bool		visit_again;	/* asked for while one was there */
	int			slots_missed;	/* how often in a row no slot was free when a worker was due */
	int			failures;		/* in a row */
	TimestampTz start_at;		/* not before */
	WorkerOrder order;			/* of the worker that this process registered ... */
	BackgroundWorkerHandle *handle; /* ... until it has attached; else NULL */
} KnownDatabase;

PGDLLEXPORT void deltatx_launcher_main(Datum arg);

static HTAB *databases;
static TimestampTz list_at;
static TimestampTz hold_until;	/* no worker is started before */
static bool complained;			/* about the lack of worker slots */

static void hold_back(int crashes);
static int	delay_after(int failures);
static void launch(void);
static KnownDatabase *know(Oid oid);
static void collect_reports(void);
static void collect_report(const WorkerReport *report);
static void schedule(KnownDatabase *database, WorkerEnd end, TimestampTz started_at);
static void drop_handle(KnownDatabase *database);
static void collect_lost_orders(void);
static void collect_probes(void);
static void request_visit(KnownDatabase *database);
static void list_databases(void);
static void read_pg_database(void);
static void forget_unlisted(void);
static void start_workers(void);
static bool may_start(const KnownDatabase *database, TimestampTz now);
static bool visit_under_way(void);
static void start_worker(KnownDatabase *database);
static bool register_worker(KnownDatabase *database);
static void complain(void);
static long sleep_time(void);

void
deltatx_launcher_register(void)
{
	BackgroundWorker worker = {0};

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = LAUNCHER_RESTART_SECONDS;
	strlcpy(worker.bgw_library_name, "deltatx", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "deltatx_launcher_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "deltatx launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "deltatx launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

void
deltatx_launcher_main(Datum arg)
{
	MemoryContext loop_context;

	deltatx_process_start();
	BackgroundWorkerInitializeConnectionByOid(InvalidOid, InvalidOid, 0);
	pgstat_report_appname("deltatx launcher");
	hold_back(deltatx_shared_attach_launcher());

	databases = hash_create("deltatx databases", 64,
							&(HASHCTL) {.keysize = sizeof(Oid), .entrysize = sizeof(KnownDatabase)},
							HASH_ELEM | HASH_BLOBS);
	loop_context = AllocSetContextCreate(TopMemoryContext, "deltatx launcher",
										 ALLOCSET_DEFAULT_SIZES);
	for (;;)
	{
		MemoryContextSwitchTo(loop_context);
		MemoryContextReset(loop_context);
		deltatx_process_interrupts();
		launch();
		deltatx_process_sleep(sleep_time(), "DeltatxLauncherMain");
	}
}

static void
hold_back(int crashes)
{
	if (crashes > 0)
		hold_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay_after(crashes));
}

/* Doubling. */
static int
delay_after(int failures)
{
	return Min(RETRY_MIN_MS << Min(failures - 1, 10), RETRY_MAX_MS);
}

/* One round: learn what happened, then start what should run. */
static void
launch(void)
{
	collect_reports();
	collect_lost_orders();
	collect_probes();
	list_databases();
	start_workers();
}

static KnownDatabase *
know(Oid oid)
{
	bool		found;
	KnownDatabase *database = hash_search(databases, &oid, HASH_ENTER, &found);

	if (!found)
	{
		memset(database, 0, sizeof(KnownDatabase));
		database->oid = oid;
		database->listed = true;
	}
	return database;
}

static void
collect_reports(void)
{
	ListCell   *cell;

	foreach(cell, deltatx_shared_reports())
		collect_report(lfirst(cell));
}

static void
collect_report(const WorkerReport *report)
{
	KnownDatabase *database = know(report->database);

	database->active = true;
	if (report->has_extension)
		database->has_extension = true;
	if (report->ended)
	{
		drop_handle(database);
		schedule(database, report->end, report->started_at);
	}
}

/* A worker ended: when should the next one start? */
static void
schedule(KnownDatabase *database, WorkerEnd end, TimestampTz started_at)
{
	TimestampTz now = GetCurrentTimestamp();
	int			delay = 0;

	switch (end)
	{
		case WORKER_STOPPED:
			break;
		case WORKER_WITHOUT_EXTENSION:
			database->has_extension = false;
			database->failures = 0;
			delay = database->visit_again ? 0 : VISIT_INTERVAL_MS;
			break;
		case WORKER_FAILED:
			if (TimestampDifferenceExceeds(started_at, now, RETRY_MAX_MS))
				database->failures = 0;
			delay = delay_after(++database->failures);
			break;
	}

	database->active = false;
	database->start_at = TimestampTzPlusMilliseconds(now, delay);
	database->visit_again = false;
}

static void
drop_handle(KnownDatabase *database)
{
	if (database->handle != NULL)
		pfree(database->handle);
	database->handle = NULL;
}

/* Workers that the postmaster could not start, or that ended before they attached. */
static void
collect_lost_orders(void)
{
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
	{
		pid_t		pid;

		if (database->handle == NULL ||
			GetBackgroundWorkerPid(database->handle, &pid) != BGWH_STOPPED)
			continue;
		drop_handle(database);
		if (deltatx_shared_withdraw(&database->order))
			schedule(database, WORKER_FAILED, GetCurrentTimestamp());
	}
}

static void
collect_probes(void)
{
	bool		all;
	ListCell   *cell;
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;

	foreach(cell, deltatx_shared_take_probes(&all))
		request_visit(know(lfirst_oid(cell)));
	if (!all)
		return;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
		request_visit(database);
}

/* A worker on its way may have looked for the extension too early to see it. */
static void
request_visit(KnownDatabase *database)
{
	if (database->active)
		database->visit_again = true;
	else if (!database->has_extension)
		database->start_at = 0;
}

static void
list_databases(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!deltatx_shared_take_refresh() && now < list_at)
		return;

	read_pg_database();
	forget_unlisted();
	list_at = TimestampTzPlusMilliseconds(now, LIST_INTERVAL_MS);
}

/* Note every database that one can connect to. */
static void
read_pg_database(void)
{
	Relation	relation;
	TableScanDesc scan;
	HeapTuple	tuple;
	HASH_SEQ_STATUS known;
	KnownDatabase *database;

	hash_seq_init(&known, databases);
	while ((database = hash_seq_search(&known)) != NULL)
		database->listed = false;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		if (form->datallowconn && !database_is_invalid_form(form))
			know(form->oid)->listed = true;
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
}

static void
forget_unlisted(void)
{
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
	{
		if (!database->listed && !database->active)
			hash_search(databases, &database->oid, HASH_REMOVE, NULL);
	}
}

static void
start_workers(void)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		visiting = visit_under_way();
	bool		lacking = false;
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
	{
		if (may_start(database, now) && (database->has_extension || !visiting))
		{
			start_worker(database);
			visiting = visiting || (database->active && !database->has_extension);
		}
		lacking = lacking || database->slots_missed > 1;
	}

	if (lacking && !complained)
		complain();
	complained = lacking;
}

static bool
may_start(const KnownDatabase *database, TimestampTz now)
{
	return database->listed && !database->active && now >= hold_until && now >= database->start_at &&
		!deltatx_shared_is_blocked(database->oid);
}

static bool
visit_under_way(void)
{
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;
	bool		result = false;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
		result = result || (database->active && !database->has_extension);
	return result;
}

/*
 * When there is no slot for it, it is tried again later: at first soon, since
 * the postmaster frees a slot a moment after we hear that its worker ended.
 */
static void
start_worker(KnownDatabase *database)
{
	int			delay = database->slots_missed == 0 ? RETRY_MIN_MS : NO_SLOT_RETRY_MS;

	if (deltatx_shared_reserve(database->oid, &database->order))
	{
		database->active = register_worker(database);
		if (database->active)
		{
			database->slots_missed = 0;
			return;
		}
		(void) deltatx_shared_withdraw(&database->order);
	}
	database->slots_missed++;
	database->start_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay);
}

static bool
register_worker(KnownDatabase *database)
{
	BackgroundWorker worker = {0};
	MemoryContext caller;
	bool		registered;

	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_notify_pid = MyProcPid;
	strlcpy(worker.bgw_library_name, "deltatx", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "deltatx_worker_main", sizeof(worker.bgw_function_name));
	snprintf(worker.bgw_name, BGW_MAXLEN, "deltatx worker of database %u", database->oid);
	strlcpy(worker.bgw_type, "deltatx worker", BGW_MAXLEN);
	StaticAssertStmt(sizeof(WorkerOrder) <= BGW_EXTRALEN, "WorkerOrder must fit into bgw_extra");
	memcpy(worker.bgw_extra, &database->order, sizeof(WorkerOrder));

	/* The handle lives as long as the worker may be on its way. */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	registered = RegisterDynamicBackgroundWorker(&worker, &database->handle);
	MemoryContextSwitchTo(caller);
	return registered;
}

/* Not again before all databases have what they need. */
static void
complain(void)
{
	ereport(WARNING,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("deltatx cannot start a worker: all background worker slots are taken"),
			 errdetail("Committed versions are not published in databases without a worker."),
			 errhint("Increase \"max_worker_processes\" by one for each database that has the extension, and restart the server.")));
}

/* Until the next worker is due, or pg_database is to be read again. */
static long
sleep_time(void)
{
	TimestampTz next = list_at;
	bool		visiting = visit_under_way();
	HASH_SEQ_STATUS scan;
	KnownDatabase *database;

	hash_seq_init(&scan, databases);
	while ((database = hash_seq_search(&scan)) != NULL)
	{
		bool		waits = database->listed && !database->active &&
			(database->has_extension || !visiting) &&
			!deltatx_shared_is_blocked(database->oid);

		if (waits)
			next = Min(next, Max(database->start_at, hold_until));
	}
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next);
}
