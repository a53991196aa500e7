/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  Where the mirror meets the sessions: commits wake the worker, commands
 *	  on whole databases send it away, CREATE EXTENSION calls it.
 *
 * A worker stays connected to its database, which would make DROP DATABASE,
 * ALTER DATABASE ... RENAME and SET TABLESPACE and CREATE DATABASE ...
 * TEMPLATE fail after five seconds of waiting.  So before such a command runs,
 * the worker is stopped, and kept away until the command's transaction has
 * ended in whatever way.  The same for DROP EXTENSION, so that it does not
 * wait for a worker that happens to build a large version; other ways to drop
 * the extension (DROP OWNED, DROP SCHEMA ... CASCADE) wait for the worker's
 * current transaction, see worker.c.
 *
 * The privilege checks here are no more than what keeps strangers from
 * stopping workers by commands that will fail: the commands do their own.
 *
 * A wake is a hint.  At XACT_EVENT_COMMIT the commit is visible to others, and
 * nothing may fail any more: all that happens there is SetLatch.  COMMIT
 * PREPARED runs no callback in the session that prepared, so the worker also
 * polls.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/syscache.h"

#include "compat.h"
#include "mirror/launcher.h"
#include "mirror/mirror.h"
#include "mirror/shared.h"

static ProcessUtility_hook_type previous_utility_hook;
static bool wake_at_commit;
static bool probe_at_commit;
static bool dropping_extension;

static void utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
					ProcessUtilityContext context, ParamListInfo params,
					QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc);
static void prepare_for(Node *statement);
static void block_template(CreatedbStmt *statement);
static void block_owned(const char *database_name);
static bool moves_database(AlterDatabaseStmt *statement);
static bool drops_extension(DropStmt *statement);
static bool may_create_databases(void);
static void at_transaction_end(XactEvent event, void *arg);

void
deltatx_mirror_init(void)
{
	deltatx_shared_init();
	RegisterXactCallback(at_transaction_end, NULL);
	previous_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = utility;

	/* pg_upgrade's servers must not publish anything. */
	if (!IsBinaryUpgrade)
		deltatx_launcher_register();
}

void
deltatx_mirror_wake_at_commit(void)
{
	wake_at_commit = true;
}

bool
deltatx_mirror_is_dropping_extension(void)
{
	return dropping_extension;
}

static void
utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *query_env, DestReceiver *dest, QueryCompletion *qc)
{
	dropping_extension = IsA(pstmt->utilityStmt, DropStmt) &&
		drops_extension((DropStmt *) pstmt->utilityStmt);

	/* Before shared memory is there (a single-user server), there is no worker. */
	if (deltatx_mirror_is_attached() && IsUnderPostmaster)
		prepare_for(pstmt->utilityStmt);

	if (previous_utility_hook)
		previous_utility_hook(pstmt, query_string, read_only_tree, context, params,
							  query_env, dest, qc);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context, params,
								query_env, dest, qc);
}

static void
prepare_for(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_DropdbStmt:
			block_owned(((DropdbStmt *) statement)->dbname);
			break;
		case T_AlterDatabaseStmt:
			if (moves_database((AlterDatabaseStmt *) statement))
				block_owned(((AlterDatabaseStmt *) statement)->dbname);
			break;
		case T_RenameStmt:
			if (((RenameStmt *) statement)->renameType == OBJECT_DATABASE)
				block_owned(((RenameStmt *) statement)->subname);
			break;
		case T_CreatedbStmt:
			block_template((CreatedbStmt *) statement);
			break;
		case T_DropStmt:
			if (dropping_extension && superuser())
				deltatx_shared_block(MyDatabaseId);
			break;
		case T_CreateExtensionStmt:
			if (strcmp(((CreateExtensionStmt *) statement)->extname, "deltatx") == 0)
				probe_at_commit = true;
			break;
		default:
			break;
	}
}

/* CREATE DATABASE copies a template that nobody else may be connected to. */
static void
block_template(CreatedbStmt *statement)
{
	const char *template = "template1";
	ListCell   *cell;
	Oid			database;

	foreach(cell, statement->options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "template") == 0 && option->arg != NULL)
			template = defGetString(option);
	}

	database = get_database_oid(template, true);
	if (OidIsValid(database) && may_create_databases())
		deltatx_shared_block(database);
}

static void
block_owned(const char *database_name)
{
	Oid			database = get_database_oid(database_name, true);

	if (OidIsValid(database) && deltatx_owns_database(database, GetUserId()))
		deltatx_shared_block(database);
}

static bool
moves_database(AlterDatabaseStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->options)
	{
		if (strcmp(lfirst_node(DefElem, cell)->defname, "tablespace") == 0)
			return true;
	}
	return false;
}

static bool
drops_extension(DropStmt *statement)
{
	ListCell   *cell;

	if (statement->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, statement->objects)
	{
		if (strcmp(strVal(lfirst(cell)), "deltatx") == 0)
			return true;
	}
	return false;
}

static bool
may_create_databases(void)
{
	HeapTuple	role;
	bool		result;

	if (superuser())
		return true;
	role = SearchSysCache1(AUTHOID, ObjectIdGetDatum(GetUserId()));
	if (!HeapTupleIsValid(role))
		return false;
	result = ((Form_pg_authid) GETSTRUCT(role))->rolcreatedb;
	ReleaseSysCache(role);
	return result;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (wake_at_commit && deltatx_mirror_is_attached())
				deltatx_shared_wake(MyDatabaseId);
			if (probe_at_commit && deltatx_mirror_is_attached())
				deltatx_shared_request_probe(MyDatabaseId);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}

	wake_at_commit = probe_at_commit = false;
	deltatx_shared_unblock_all();
}
