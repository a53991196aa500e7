/*-------------------------------------------------------------------------
 *
 * deltatx.c
 *	  Module entry: settings, and what must hold before anything is written.
 *
 * The library can be loaded in two ways.  From shared_preload_libraries it
 * has shared memory and workers, and everything works.  Loaded on demand, by
 * the first call of one of its functions, it can only read: a commit that no
 * worker would ever publish must not be taken.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "compat.h"
#include "api/servers.h"
#include "deltatx.h"
#include "mirror/mirror.h"
#include "txn/session.h"

PG_MODULE_MAGIC;

int			deltatx_max_tables_per_transaction = 10;
int			deltatx_max_files_per_table = 1000;
int			deltatx_max_actions_per_transaction = 10000;
int			deltatx_transaction_timeout = 60 * 1000;
int			deltatx_limit_ceiling_tables = 0;
int			deltatx_limit_ceiling_files = 0;
int			deltatx_limit_ceiling_actions = 0;
int			deltatx_limit_ceiling_timeout = 0;
int			deltatx_lock_timeout = 10 * 1000;
int			deltatx_default_isolation = ISOLATION_WRITE_SERIALIZABLE;
int			deltatx_hive_paths = HIVE_PATHS_WARNING;
int			deltatx_max_clock_lead = 10 * 1000;
bool		deltatx_mirror_enabled = true;
int			deltatx_mirror_naptime = 1000;
int			deltatx_mirror_max_attempts = 10;
int			deltatx_mirror_backoff_min = 100;
int			deltatx_mirror_backoff_max = 60 * 1000;
bool		deltatx_notify = false;
int			deltatx_max_mirror_backlog = 0;
int			deltatx_mirror_backlog_action = BACKLOG_WARNING;
char	   *deltatx_cut_location = NULL;
int			deltatx_store_connect_timeout = 5 * 1000;
int			deltatx_store_timeout = 30 * 1000;

/* Both our spellings and Delta's; the first of a level is the one shown. */
static const struct config_enum_entry isolation_options[] = {
	{"write_serializable", ISOLATION_WRITE_SERIALIZABLE, false},
	{"writeserializable", ISOLATION_WRITE_SERIALIZABLE, true},
	{"serializable", ISOLATION_SERIALIZABLE, false},
	{"snapshot_isolation", ISOLATION_SNAPSHOT, false},
	{"snapshotisolation", ISOLATION_SNAPSHOT, true},
	{NULL, 0, false}
};

static const struct config_enum_entry hive_paths_options[] = {
	{"off", HIVE_PATHS_OFF, false},
	{"warning", HIVE_PATHS_WARNING, false},
	{"error", HIVE_PATHS_ERROR, false},
	{NULL, 0, false}
};

static const struct config_enum_entry backlog_actions[] = {
	{"warning", BACKLOG_WARNING, false},
	{"wait", BACKLOG_WAIT, false},
	{"error", BACKLOG_ERROR, false},
	{NULL, 0, false}
};

void		_PG_init(void);

static void define_limits(void);
static void define_transaction_settings(void);
static void define_mirror_settings(void);
static void define_store_settings(void);
static void define_backlog_settings(void);
static bool check_cut_location(char **value, void **extra, GucSource source);
static void define_count(const char *name, const char *description, int *variable,
						 GucContext context);
static void define_time(const char *name, const char *description, int *variable,
						int min, GucContext context);

PGDLLEXPORT void
_PG_init(void)
{
	define_limits();
	define_transaction_settings();
	define_mirror_settings();
	define_store_settings();
	define_backlog_settings();
	MarkGUCPrefixReserved("deltatx");

	deltatx_session_init();
	deltatx_servers_init();
	if (process_shared_preload_libraries_in_progress)
		deltatx_mirror_init();
}

bool
deltatx_is_preloaded(void)
{
	return deltatx_mirror_is_attached();
}

void
deltatx_require_writable(const char *function)
{
	if (RecoveryInProgress())
		ereport(ERROR,
				(deltatx_condition(DTX_READ_ONLY_SERVER, NULL),
				 errmsg("cannot execute %s() on a standby server", function),
				 errhint("Connect to the primary server.")));

	if (IsInParallelMode())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_STATE),
				 errmsg("cannot execute %s() during a parallel operation", function)));

	if (!deltatx_is_preloaded())
		ereport(ERROR,
				(deltatx_condition(DTX_NOT_PRELOADED, NULL),
				 errmsg("cannot execute %s(): deltatx is not in shared_preload_libraries", function),
				 errhint("Add deltatx to shared_preload_libraries and restart the server; until then tables can be read only.")));

	PreventCommandIfReadOnly(function);
}

/*
 * Limits of a transaction.  A user may raise them for himself, up to the
 * ceiling that a superuser set.
 */
static void
define_limits(void)
{
	define_count("deltatx.max_tables_per_transaction",
				 "Most tables that a deltatx transaction may write (0 = no limit).",
				 &deltatx_max_tables_per_transaction, PGC_USERSET);
	define_count("deltatx.max_files_per_table",
				 "Most file actions that a deltatx transaction may stage for one table (0 = no limit).",
				 &deltatx_max_files_per_table, PGC_USERSET);
	define_count("deltatx.max_actions_per_transaction",
				 "Most actions that a deltatx transaction may stage (0 = no limit).",
				 &deltatx_max_actions_per_transaction, PGC_USERSET);
	define_time("deltatx.transaction_timeout",
				"Longest time from deltatx_begin to deltatx_commit (0 = no limit).",
				&deltatx_transaction_timeout, 0, PGC_USERSET);

	define_count("deltatx.limit_ceiling_tables",
				 "Upper bound of deltatx.max_tables_per_transaction (0 = none).",
				 &deltatx_limit_ceiling_tables, PGC_SUSET);
	define_count("deltatx.limit_ceiling_files",
				 "Upper bound of deltatx.max_files_per_table (0 = none).",
				 &deltatx_limit_ceiling_files, PGC_SUSET);
	define_count("deltatx.limit_ceiling_actions",
				 "Upper bound of deltatx.max_actions_per_transaction (0 = none).",
				 &deltatx_limit_ceiling_actions, PGC_SUSET);
	define_time("deltatx.limit_ceiling_timeout",
				"Upper bound of deltatx.transaction_timeout (0 = none).",
				&deltatx_limit_ceiling_timeout, 0, PGC_SUSET);
}

static void
define_transaction_settings(void)
{
	define_time("deltatx.lock_timeout",
				"Longest wait for the locks of the tables at commit (0 = no limit).",
				&deltatx_lock_timeout, 0, PGC_USERSET);
	define_time("deltatx.max_clock_lead",
				"How far a table's commit timestamps may run ahead of the clock before commits wait.",
				&deltatx_max_clock_lead, 0, PGC_SUSET);

	DefineCustomEnumVariable("deltatx.default_isolation",
							 "Isolation level of deltatx transactions where neither they nor the table say one.",
							 NULL, &deltatx_default_isolation, ISOLATION_WRITE_SERIALIZABLE,
							 isolation_options, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("deltatx.hive_paths",
							 "What to do about partitioned files outside of col=value directories.",
							 "Polars takes partition values from directory names.",
							 &deltatx_hive_paths, HIVE_PATHS_WARNING,
							 hive_paths_options, PGC_USERSET, 0, NULL, NULL, NULL);
}

static void
define_mirror_settings(void)
{
	DefineCustomBoolVariable("deltatx.mirror_enabled",
							 "Whether the workers publish committed versions.",
							 NULL, &deltatx_mirror_enabled, true,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	define_time("deltatx.mirror_naptime",
				"How often a worker looks for work that nobody woke it for.",
				&deltatx_mirror_naptime, 10, PGC_SIGHUP);
	DefineCustomIntVariable("deltatx.mirror_max_attempts",
							"Attempts to publish a version after which its table is marked failed.",
							"A failed table is retried at deltatx.mirror_backoff_max.",
							&deltatx_mirror_max_attempts, 10, 1, INT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	define_time("deltatx.mirror_backoff_min",
				"Wait after the first failed attempt to publish.",
				&deltatx_mirror_backoff_min, 1, PGC_SIGHUP);
	define_time("deltatx.mirror_backoff_max",
				"Longest wait between attempts to publish.",
				&deltatx_mirror_backoff_max, 1, PGC_SIGHUP);
	DefineCustomBoolVariable("deltatx.notify",
							 "Whether the workers notify deltatx_commit and deltatx_mirrored of each version.",
							 "Transactions that notify commit one after the other.",
							 &deltatx_notify, false,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("deltatx.cut_location",
							   "URI of the folder in which the workers keep cut.json, the consistent cut across tables.",
							   "Empty: it is not kept.  With several databases set it for each: ALTER DATABASE ... SET.",
							   &deltatx_cut_location, "",
							   PGC_SUSET, 0, check_cut_location, NULL, NULL);
}

/* What local.c takes for a location; it has no other spelling, such as one with %20. */
static bool
check_cut_location(char **value, void **extra, GucSource source)
{
	if (**value == '\0')
		return true;
	if (strncmp(*value, "file:///", 8) == 0 && strlen(*value) > 8 && strchr(*value, '%') == NULL)
		return true;
	GUC_check_errdetail("It must be the URI of a folder of this machine, such as file:///srv/lake, and without encoded characters.");
	return false;
}

static void
define_store_settings(void)
{
	define_time("deltatx.store_connect_timeout",
				"Longest wait for a connection to an object store.",
				&deltatx_store_connect_timeout, 1, PGC_SIGHUP);
	define_time("deltatx.store_timeout",
				"Longest time that a request to an object store may take.",
				&deltatx_store_timeout, 1, PGC_SIGHUP);
}

/* Of committers, for whose tables the mirror is too slow. */
static void
define_backlog_settings(void)
{
	define_count("deltatx.max_mirror_backlog",
				 "Unpublished versions of a table at which commits heed deltatx.mirror_backlog_action (0 = no limit).",
				 &deltatx_max_mirror_backlog, PGC_SUSET);
	DefineCustomEnumVariable("deltatx.mirror_backlog_action",
							 "What a commit does when a table has deltatx.max_mirror_backlog unpublished versions.",
							 NULL, &deltatx_mirror_backlog_action, BACKLOG_WARNING,
							 backlog_actions, PGC_SUSET, 0, NULL, NULL, NULL);
}

static void
define_count(const char *name, const char *description, int *variable,
			 GucContext context)
{
	DefineCustomIntVariable(name, description, NULL, variable, *variable, 0, INT_MAX,
							context, 0, NULL, NULL, NULL);
}

static void
define_time(const char *name, const char *description, int *variable, int min,
			GucContext context)
{
	DefineCustomIntVariable(name, description, NULL, variable, *variable, min, INT_MAX,
							context, GUC_UNIT_MS, NULL, NULL, NULL);
}
