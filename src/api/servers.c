/*-------------------------------------------------------------------------
 *
 * servers.c
 *	  What happens to servers that tables are bound to: their options are
 *	  checked, a rename is followed, a drop is refused.
 *
 * PostgreSQL calls the object access hook for each server that it alters or
 * drops, by whatever command (DROP OWNED, DROP ... CASCADE).  DROP EXTENSION
 * ... CASCADE takes servers and tables away together, and is let through.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_foreign_server.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "api/servers.h"
#include "catalog/scope.h"
#include "catalog/server_options.h"
#include "catalog/servers.h"
#include "errors.h"
#include "mirror/mirror.h"

PG_FUNCTION_INFO_V1(deltatx_store_validator);

static object_access_hook_type previous_hook;

static void watch(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg);
static void follow_rename(Oid server);
static char *new_name_of(Oid server);
static void refuse_drop_in_use(Oid server);

/* deltatx.store_validator(options text[], catalog oid) returns void */
PGDLLEXPORT Datum
deltatx_store_validator(PG_FUNCTION_ARGS)
{
	deltatx_server_options_check(untransformRelOptions(PG_GETARG_DATUM(0)), PG_GETARG_OID(1));
	PG_RETURN_VOID();
}

void
deltatx_servers_init(void)
{
	previous_hook = object_access_hook;
	object_access_hook = watch;
}

static void
watch(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (previous_hook)
		previous_hook(access, class_id, object_id, sub_id, arg);

	if (class_id != ForeignServerRelationId || !OidIsValid(deltatx_catalog_oid()) ||
		!deltatx_server_is_ours(object_id))
		return;
	if (access == OAT_POST_ALTER)
		follow_rename(object_id);
	else if (access == OAT_DROP && !deltatx_mirror_is_dropping_extension())
		refuse_drop_in_use(object_id);
}

/* As objectaccess.h has it: caches still show what was, SnapshotSelf what is now. */
static void
follow_rename(Oid server)
{
	char	   *old_name = GetForeignServer(server)->servername;
	char	   *new_name = new_name_of(server);
	CatalogScope scope;

	if (strcmp(old_name, new_name) == 0)
		return;
	deltatx_scope_enter(&scope);
	deltatx_server_rename(old_name, new_name);
	deltatx_scope_leave(&scope);
}

static char *
new_name_of(Oid server)
{
	Relation	relation = table_open(ForeignServerRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *name;

	ScanKeyInit(&key, Anum_pg_foreign_server_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(server));
	scan = systable_beginscan(relation, ForeignServerOidIndexId, true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "could not find the tuple of server %u", server);
	name = pstrdup(NameStr(((Form_pg_foreign_server) GETSTRUCT(tuple))->srvname));
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return name;
}

static void
refuse_drop_in_use(Oid server)
{
	char	   *name = GetForeignServer(server)->servername;
	CatalogScope scope;
	char	   *table_name;

	deltatx_scope_enter(&scope);
	table_name = deltatx_server_user(name);
	if (table_name != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop server %s because Delta tables are published there", name),
				 errdetail_internal("table=%s", table_name),
				 errhint("Drop the tables first; a dropped table needs its server until its last version is published.")));
	deltatx_scope_leave(&scope);
}
