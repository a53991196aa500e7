/*-------------------------------------------------------------------------
 *
 * servers.c
 *	  The servers that tables are bound to.
 *
 * A table is bound to a server by name, for life: it is published there with
 * the server's options and its owner's user mapping as they are at each
 * attempt, so a changed secret is used at the next one.  Names, because rows
 * with OIDs would not survive a dump; a rename is followed, and a server in
 * use is not dropped (api/servers.c).
 *
 * A creation and a DROP or ALTER SERVER ... RENAME at the same time: both lock
 * the server, in modes that conflict.  Who comes second sees what the first
 * one did, since it looks (again) after it has the lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "foreign/foreign.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "catalog/scope.h"
#include "catalog/server_options.h"
#include "catalog/servers.h"
#include "errors.h"

#define WRAPPER_NAME	"deltatx_store"

static CatalogPlan rename_server = {
	"UPDATE deltatx.dl_tables SET server_name = $2 WHERE server_name OPERATOR(pg_catalog.=) $1",
	2, {TEXTOID, TEXTOID}
};

static CatalogPlan select_user = {
	"SELECT table_name FROM deltatx.dl_tables WHERE server_name OPERATOR(pg_catalog.=) $1 LIMIT 1",
	1, {TEXTOID}
};

static ForeignServer *find_covering(const char *location, const char *table_name);
static List *our_servers(void);
static void refuse_ambiguous(const char *table_name, const ForeignServer *one, const ForeignServer *other);
static List *mapping_of(Oid server, const char *owner_name);
static bool read_mapping(Oid server, Oid role, List **options);
static StoreConnection *connection_of(const ForeignServer *server, const List *mapping);

char *
deltatx_server_for(const char *location, const char *table_name, Oid role)
{
	ForeignServer *server;
	ForeignServer *found = find_covering(location, table_name);

	/* What was found may change until it is locked. */
	do
	{
		server = found;
		if (server == NULL)
			return NULL;
		LockDatabaseObject(ForeignServerRelationId, server->serverid, 0, AccessShareLock);
		found = find_covering(location, table_name);
	} while (found == NULL || found->serverid != server->serverid);

	if (!deltatx_may_use_server(found->serverid, role))
		ereport(ERROR,
				(deltatx_condition(DTX_PERMISSION_DENIED, table_name),
				 errmsg("permission denied to create a table at \"%s\"", location),
				 errdetail_internal("server=%s", found->servername),
				 errhint("Server \"%s\" covers this location; it needs the USAGE privilege on that server.",
						 found->servername)));
	return found->servername;
}

/* The one with the longest location; NULL when there is none. */
static ForeignServer *
find_covering(const char *location, const char *table_name)
{
	ForeignServer *result = NULL;
	ForeignServer *twin = NULL;
	size_t		longest = 0;
	ListCell   *cell;

	foreach(cell, our_servers())
	{
		ForeignServer *server = GetForeignServerExtended(lfirst_oid(cell), FSV_MISSING_OK);
		size_t		length = server == NULL ? 0 : deltatx_server_covers(server->options, location);

		if (length == 0 || length < longest)
			continue;
		twin = length == longest ? result : NULL;
		result = server;
		longest = length;
	}
	if (twin != NULL)
		refuse_ambiguous(table_name, twin, result);
	return result;
}

/* Of OIDs. */
static List *
our_servers(void)
{
	Relation	relation = table_open(ForeignServerRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, NULL, 0, NULL);
	List	   *result = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			server = ((Form_pg_foreign_server) GETSTRUCT(tuple))->oid;

		if (deltatx_server_is_ours(server))
			result = lappend_oid(result, server);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return result;
}

bool
deltatx_server_is_ours(Oid server)
{
	HeapTuple	tuple = SearchSysCache1(FOREIGNSERVEROID, ObjectIdGetDatum(server));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_foreign_server) GETSTRUCT(tuple))->srvfdw ==
		get_foreign_data_wrapper_oid(WRAPPER_NAME, true);
	ReleaseSysCache(tuple);
	return result;
}

static void
refuse_ambiguous(const char *table_name, const ForeignServer *one, const ForeignServer *other)
{
	ereport(ERROR,
			(deltatx_condition(DTX_INVALID_DEFINITION, table_name),
			 errmsg("servers \"%s\" and \"%s\" have the same location", one->servername, other->servername),
			 errhint("Drop one of them, or give it another location.")));
}

StoreConnection *
deltatx_server_connection(const char *server_name, const char *owner_name,
						  const char *location, char **message, char **hint)
{
	ForeignServer *server = GetForeignServerByName(server_name, true);

	if (server == NULL || !deltatx_server_is_ours(server->serverid))
	{
		*message = psprintf("server \"%s\" does not exist", server_name);
		*hint = psprintf("Create it as a server of wrapper %s that covers \"%s\".", WRAPPER_NAME, location);
		return NULL;
	}
	if (deltatx_server_covers(server->options, location) == 0)
	{
		*message = psprintf("server \"%s\" does not cover \"%s\"", server_name, location);
		*hint = psprintf("Set option location of server \"%s\" to what it was when the table was created.", server_name);
		return NULL;
	}
	return connection_of(server, mapping_of(server->serverid, owner_name));
}

/* The owner's, else that of PUBLIC, else none. */
static List *
mapping_of(Oid server, const char *owner_name)
{
	Oid			owner = get_role_oid(owner_name, true);
	List	   *options = NIL;

	if (!OidIsValid(owner) || !read_mapping(server, owner, &options))
		(void) read_mapping(server, InvalidOid, &options);
	return options;
}

static bool
read_mapping(Oid server, Oid role, List **options)
{
	HeapTuple	tuple = SearchSysCache2(USERMAPPINGUSERSERVER, ObjectIdGetDatum(role),
										ObjectIdGetDatum(server));
	Datum		value;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return false;
	value = SysCacheGetAttr(USERMAPPINGUSERSERVER, tuple, Anum_pg_user_mapping_umoptions, &isnull);
	*options = isnull ? NIL : untransformRelOptions(value);
	ReleaseSysCache(tuple);
	return true;
}

static StoreConnection *
connection_of(const ForeignServer *server, const List *mapping)
{
	StoreConnection *connection = palloc0(sizeof(StoreConnection));

	connection->server_name = server->servername;
	connection->endpoint = deltatx_server_option(server->options, "endpoint");
	connection->region = deltatx_server_option(server->options, "region");
	connection->path_style = deltatx_server_option(server->options, "path_style");
	connection->ca_file = deltatx_server_option(server->options, "ca_file");
	connection->sse = deltatx_server_option(server->options, "sse");
	connection->sse_kms_key_id = deltatx_server_option(server->options, "sse_kms_key_id");
	connection->platform_identity = deltatx_server_flag(server->options, "platform_identity");

	connection->access_key_id = deltatx_server_option(mapping, "access_key_id");
	connection->secret_access_key = deltatx_server_option(mapping, "secret_access_key");
	connection->session_token = deltatx_server_option(mapping, "session_token");
	connection->profile = deltatx_server_option(mapping, "profile");
	connection->credentials_file = deltatx_server_option(mapping, "credentials_file");
	return connection;
}

void
deltatx_server_rename(const char *old_name, const char *new_name)
{
	Datum		args[2] = {deltatx_text_datum(old_name), deltatx_text_datum(new_name)};

	(void) deltatx_plan_execute(&rename_server, args, NULL);
}

char *
deltatx_server_user(const char *server_name)
{
	Datum		args[1] = {deltatx_text_datum(server_name)};
	uint64		found;

	PushActiveSnapshot(GetLatestSnapshot());
	found = deltatx_plan_execute(&select_user, args, NULL);
	PopActiveSnapshot();
	return found > 0 ? deltatx_result_text(SPI_tuptable->vals[0], 1) : NULL;
}
