/*-------------------------------------------------------------------------
 *
 * define.c
 *	  Create, alter, rename and drop tables.
 *
 * All of it is rows of the catalog, written in the caller's transaction: a
 * ROLLBACK undoes a CREATE or a DROP as it undoes a commit, and the store
 * hears of nothing before COMMIT.
 *
 * An ALTER is a metaData action (and a protocol action when the new schema or
 * properties need a feature that the table doesn't list).  In an open deltatx
 * transaction it is staged beside the rest.  On its own it locks the head
 * before it looks at the table, so that it can't lose against a commit.
 *
 * A dropped table's rows stay until the worker has published what it had
 * committed; the name is free at once, the location when the worker is done.
 * Where the log is diverged nothing can be published, so dropping such a table
 * gives its unpublished versions up.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/json.h"

#include "catalog/controls.h"
#include "catalog/heads.h"
#include "catalog/locations.h"
#include "catalog/mirror_queue.h"
#include "catalog/scope.h"
#include "catalog/servers.h"
#include "catalog/versions.h"
#include "mirror/mirror.h"
#include "schema/shape.h"
#include "txn/begin.h"
#include "txn/commit.h"
#include "txn/define.h"
#include "txn/isolation.h"
#include "txn/rights.h"
#include "txn/staging.h"
#include "txn/stamp.h"
#include "txn/uuid7.h"

#define ICT_PROPERTY	"delta.enableInCommitTimestamps"
#define FEATURE_REQUEST_PREFIX	"delta.feature."

static void discard_unpublished(const TableRef *table);
static char *server_for(const char *location, const char *table_name);
static MetadataAction *metadata_of(const TableDefinition *definition, DeltaSchema *schema,
								   const pg_uuid_t *id, DeltaTimestamp created);
static void insert_table(const TableDefinition *definition, const char *location, const char *server,
						 const MetadataAction *metadata, const ProtocolAction *protocol, Oid owner);
static void insert_version_zero(int64 table_id, const MetadataAction *metadata,
								const ProtocolAction *protocol, const char *user_name);
static char *create_parameters(const MetadataAction *metadata);
static void append_parameter(StringInfo out, const char *key, const char *value);
static char *strings_json(const List *strings);
static char *properties_json(const List *properties);
static TableRef *lock_table(const char *table_name, HeadLock lock, Oid user);
static MetadataAction *changed_metadata(const TableChange *change, const TableShape *shape,
										List *set, DeltaSchema *added);
static List *changed_properties(const List *old, const List *set, const List *unset,
								const DocumentPlace *place);
static char *schema_with(const DeltaSchema *old, const DeltaSchema *added);
static const char *alter_operation(const TableChange *change, const List *set,
								   const DeltaSchema *added, char **parameters);
static void drop_feature_requests(MetadataAction *metadata);
static void set_property(List **properties, const char *key, const char *value);
static Property *find_property(const List *properties, const char *key);
static void refuse_staged(int64 table_id, const char *table_name);

pg_uuid_t *
deltatx_define_create(const TableDefinition *definition)
{
	const char *name = definition->table_name;
	DocumentPlace place = {DTX_INVALID_DEFINITION, name};
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	char	   *location;
	char	   *server;
	DeltaSchema *schema;
	MetadataAction *metadata;
	ProtocolAction *protocol;

	deltatx_rights_check_name(name);
	location = deltatx_location_normalize(definition->location, name);
	server = server_for(location, name);

	/* As the caller: LIKE needs his rights and his search_path. */
	schema = deltatx_schema_from_columns(definition->columns, &place);
	deltatx_uuid_new(id);
	metadata = metadata_of(definition, schema, id,
						   deltatx_stamp_of_timestamptz(GetCurrentTimestamp()));
	deltatx_properties_check(metadata->configuration, &place);
	protocol = deltatx_protocol_for(schema, metadata->configuration);
	drop_feature_requests(metadata);
	(void) deltatx_shape_build(metadata, protocol, &place);

	insert_table(definition, location, server, metadata, protocol, GetUserId());
	deltatx_mirror_wake_at_commit();
	return id;
}

int64
deltatx_define_alter(const TableChange *change)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION, change->table_name};
	bool		staged = deltatx_session_current() != NULL;
	List	   *set = change->set_properties == NULL ? NIL :
		deltatx_properties_from_jsonb(change->set_properties, &place);
	DeltaSchema *added = change->add_columns == NULL ? NULL :
		deltatx_schema_from_columns(change->add_columns, &place);
	BeginOptions options = {.isolation = -1, .timeout = -1};
	CatalogScope scope;
	TableRef   *table;
	const TableShape *shape;
	TableShape *changed;
	MetadataAction *metadata;
	ProtocolAction *protocol;
	const char *operation;
	char	   *parameters;
	VersionRow *rows;
	bool		replayed;

	operation = alter_operation(change, set, added, &parameters);
	if (staged && deltatx_session_current()->replayed)
	{
		deltatx_staging_replay_controls(change->table_name, operation, parameters);
		return NO_VERSION;
	}

	deltatx_scope_enter(&scope);
	if (!staged)
		(void) lock_table(change->table_name, HEAD_WRITE, scope.user);
	table = deltatx_staging_table(change->table_name, scope.user);
	shape = deltatx_table_shape(table);
	metadata = changed_metadata(change, shape, set, added);
	protocol = deltatx_protocol_extended(&shape->protocol,
										 deltatx_schema_parse(metadata->schema_string, &place),
										 metadata->configuration);
	drop_feature_requests(metadata);
	changed = deltatx_shape_build(metadata, protocol != NULL ? protocol : &shape->protocol, &place);
	deltatx_shape_check_change(shape, changed, table->num_files > 0, &place);

	if (!staged)
		(void) deltatx_begin_transaction(&options, false);
	deltatx_staging_stage_controls(table, metadata, protocol, operation, parameters);
	deltatx_scope_leave(&scope);

	if (staged)
		return NO_VERSION;
	(void) deltatx_commit_transaction(&rows, &replayed);
	return rows[0].version;
}

void
deltatx_define_rename(const char *table_name, const char *new_name)
{
	CatalogScope scope;
	TableRef   *table;

	deltatx_rights_check_name(new_name);
	deltatx_scope_enter(&scope);
	table = lock_table(table_name, HEAD_WRITE, scope.user);
	refuse_staged(table->table_id, table_name);
	deltatx_table_rename(table->table_id, new_name);
	deltatx_scope_leave(&scope);
}

void
deltatx_define_drop(const char *table_name)
{
	CatalogScope scope;
	TableRef   *table;

	deltatx_scope_enter(&scope);
	table = lock_table(table_name, HEAD_DROP, scope.user);
	refuse_staged(table->table_id, table_name);
	if (strcmp(table->mirror_state, "diverged") == 0)
		discard_unpublished(table);
	deltatx_table_mark_dropped(table->table_id);
	deltatx_scope_leave(&scope);
	deltatx_mirror_wake_at_commit();
}

/* The log is another's, so these would wait for ever, and their location with them. */
static void
discard_unpublished(const TableRef *table)
{
	int64		discarded = deltatx_queue_discard(table->table_id);

	if (discarded > 0)
		ereport(NOTICE,
				(errmsg_plural("table \"%s\" is dropped with " INT64_FORMAT " version unpublished",
							   "table \"%s\" is dropped with " INT64_FORMAT " versions unpublished",
							   (unsigned long) discarded, table->table_name, discarded),
				 errdetail_internal("state=diverged discarded=" INT64_FORMAT, discarded)));
}

/*
 * The server that covers the location; NULL: a bare file: location.  Who may
 * write files of this machine may have us write them: as for COPY TO.
 */
static char *
server_for(const char *location, const char *table_name)
{
	char	   *server = deltatx_server_for(location, table_name, GetUserId());
	DocumentPlace place = {DTX_INVALID_DEFINITION, table_name};

	if (server != NULL)
		return server;
	if (strncmp(location, "file:", 5) != 0)
		deltatx_refuse(&place, "location",
					   "Run CREATE SERVER ... FOREIGN DATA WRAPPER deltatx_store with a location that covers it.",
					   "no server covers location \"%s\"", location);
	if (!has_privs_of_role(GetUserId(), ROLE_PG_WRITE_SERVER_FILES))
		ereport(ERROR,
				(deltatx_condition(DTX_PERMISSION_DENIED, table_name),
				 errmsg("permission denied to create a table at \"%s\"", location),
				 errhint("A file: location that no server covers needs the rights of role pg_write_server_files.")));
	return NULL;
}

static MetadataAction *
metadata_of(const TableDefinition *definition, DeltaSchema *schema, const pg_uuid_t *id,
			DeltaTimestamp created)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION, definition->table_name};
	MetadataAction *metadata = palloc0(sizeof(MetadataAction));

	metadata->id = deltatx_uuid_text(id);
	metadata->description = definition->description;
	metadata->format_provider = "parquet";
	metadata->format_options = "{}";
	metadata->schema_string = deltatx_schema_to_string(schema);
	metadata->partition_columns = definition->partition_columns;
	metadata->created_time = created;
	if (definition->properties != NULL)
		metadata->configuration = deltatx_properties_from_jsonb(definition->properties, &place);
	if (find_property(metadata->configuration, ICT_PROPERTY) == NULL)
		set_property(&metadata->configuration, ICT_PROPERTY, "true");
	return metadata;
}

static void
insert_table(const TableDefinition *definition, const char *location, const char *server,
			 const MetadataAction *metadata, const ProtocolAction *protocol, Oid owner)
{
	CatalogScope scope;
	NewTable	table = {
		.table_name = definition->table_name,
		.delta_id = metadata->id,
		.location = location,
		.server_name = server,
		.owner_name = GetUserNameFromId(owner, false),
	};

	deltatx_scope_enter(&scope);
	table.table_id = deltatx_next_table_id();
	deltatx_table_insert(&table);
	insert_version_zero(table.table_id, metadata, protocol, table.owner_name);
	deltatx_scope_leave(&scope);
}

static void
insert_version_zero(int64 table_id, const MetadataAction *metadata,
					const ProtocolAction *protocol, const char *user_name)
{
	NewTransaction transaction = {
		.stamp = deltatx_stamp_choose(0),
		.user_name = user_name,
		.isolation = deltatx_isolation_name(ISOLATION_SERIALIZABLE),
	};
	NewVersion	version = {
		.table_id = table_id,
		.version = 0,
		.commit_id = deltatx_next_commit_id(),
		.delta_id = metadata->id,
		.operation = "CREATE TABLE",
		.operation_parameters = create_parameters(metadata),
		.read_version = NO_VERSION,
		.isolation = transaction.isolation,
		.is_blind_append = true,
		.controls = 2,
	};
	TableHead	head = {
		.table_id = table_id,
		.last_stamp = transaction.stamp,
		.shape_commit_id = version.commit_id,
	};

	deltatx_uuid_new(&transaction.id);
	deltatx_head_insert(&head);
	deltatx_versions_insert(&transaction, &version, 1);
	deltatx_protocol_insert(table_id, 0, protocol);
	deltatx_metadata_insert(table_id, 0, metadata);
}

/* As Spark's CREATE TABLE describes itself. */
static char *
create_parameters(const MetadataAction *metadata)
{
	StringInfoData out;

	initStringInfo(&out);
	append_parameter(&out, "partitionBy", strings_json(metadata->partition_columns));
	append_parameter(&out, "description", metadata->description);
	append_parameter(&out, "isManaged", "false");
	append_parameter(&out, "properties", properties_json(metadata->configuration));
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* A NULL value is left out. */
static void
append_parameter(StringInfo out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfoChar(out, out->len == 0 ? '{' : ',');
	escape_json(out, key);
	appendStringInfoChar(out, ':');
	escape_json(out, value);
}

static char *
strings_json(const List *strings)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	foreach(cell, strings)
	{
		if (out.len > 1)
			appendStringInfoChar(&out, ',');
		escape_json(&out, lfirst(cell));
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

static char *
properties_json(const List *properties)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	foreach(cell, properties)
		append_parameter(&out, ((Property *) lfirst(cell))->key, ((Property *) lfirst(cell))->value);
	appendStringInfoString(&out, out.len == 0 ? "{}" : "}");
	return out.data;
}

/* Lock the head, then look at the table: nobody can change it any more. */
static TableRef *
lock_table(const char *table_name, HeadLock lock, Oid user)
{
	TableRef   *table = deltatx_usable_table(table_name, user);
	TableHead	head = {.table_id = table->table_id, .lock = lock};

	deltatx_heads_lock(&head, 1, table_name);
	if (!head.found)
		deltatx_rights_refuse_missing(table_name);
	return deltatx_usable_table(table_name, user);
}

static MetadataAction *
changed_metadata(const TableChange *change, const TableShape *shape, List *set, DeltaSchema *added)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION, change->table_name};
	MetadataAction *metadata = deltatx_metadata_copy(&shape->metadata);

	if (added == NULL && set == NIL && change->unset_properties == NIL && change->description == NULL)
		deltatx_refuse(&place, NULL, "Give add_columns, set_properties, unset_properties or description.",
					   "nothing to change");
	if (added != NULL)
		metadata->schema_string = schema_with(shape->schema, added);
	if (change->description != NULL)
		metadata->description = change->description;
	metadata->configuration = changed_properties(metadata->configuration, set,
												 change->unset_properties, &place);
	return metadata;
}

static List *
changed_properties(const List *old, const List *set, const List *unset, const DocumentPlace *place)
{
	List	   *result = list_copy(old);
	ListCell   *cell;

	foreach(cell, unset)
	{
		Property   *property = find_property(result, lfirst(cell));

		if (property == NULL)
			deltatx_refuse(place, "unset_properties", "View deltatx.tables shows the properties.",
						   "property \"%s\" is not set", (char *) lfirst(cell));
		result = list_delete_ptr(result, property);
	}
	foreach(cell, set)
		set_property(&result, ((Property *) lfirst(cell))->key, ((Property *) lfirst(cell))->value);
	return result;
}

static char *
schema_with(const DeltaSchema *old, const DeltaSchema *added)
{
	DeltaSchema schema;

	schema.nfields = old->nfields + added->nfields;
	schema.fields = palloc(sizeof(DeltaField) * schema.nfields);
	memcpy(schema.fields, old->fields, sizeof(DeltaField) * old->nfields);
	memcpy(schema.fields + old->nfields, added->fields, sizeof(DeltaField) * added->nfields);
	return deltatx_schema_to_string(&schema);
}

/* Spark's names for such changes; of several, the first. */
static const char *
alter_operation(const TableChange *change, const List *set, const DeltaSchema *added,
				char **parameters)
{
	StringInfoData out;

	initStringInfo(&out);
	if (added != NULL)
		append_parameter(&out, "columns", deltatx_schema_to_string(added));
	if (set != NIL)
		append_parameter(&out, "properties", properties_json(set));
	if (change->unset_properties != NIL)
		append_parameter(&out, "unsetProperties", strings_json(change->unset_properties));
	append_parameter(&out, "description", change->description);
	appendStringInfoChar(&out, '}');
	*parameters = out.data;

	if (added != NULL)
		return "ADD COLUMNS";
	return set == NIL && change->unset_properties != NIL ? "UNSET TBLPROPERTIES" : "SET TBLPROPERTIES";
}

/* delta.feature.x asks for a feature; the answer is in the protocol, and Spark keeps no record of the question. */
static void
drop_feature_requests(MetadataAction *metadata)
{
	ListCell   *cell;

	foreach(cell, metadata->configuration)
	{
		Property   *property = lfirst(cell);

		if (strncmp(property->key, FEATURE_REQUEST_PREFIX, strlen(FEATURE_REQUEST_PREFIX)) == 0)
			metadata->configuration = foreach_delete_current(metadata->configuration, cell);
	}
}

static void
set_property(List **properties, const char *key, const char *value)
{
	Property   *property = find_property(*properties, key);
	Property   *fresh = palloc(sizeof(Property));

	fresh->key = pstrdup(key);
	fresh->value = pstrdup(value);
	if (property != NULL)
		*property = *fresh;
	else
		*properties = lappend(*properties, fresh);
}

static Property *
find_property(const List *properties, const char *key)
{
	ListCell   *cell;

	foreach(cell, properties)
		if (strcmp(((Property *) lfirst(cell))->key, key) == 0)
			return lfirst(cell);
	return NULL;
}

/* What is staged refers to the table as it is. */
static void
refuse_staged(int64 table_id, const char *table_name)
{
	OpenTransaction *transaction = deltatx_session_current();

	if (transaction == NULL || deltatx_session_table(transaction, table_id) == NULL)
		return;
	ereport(ERROR,
			(deltatx_condition(DTX_TRANSACTION_OPEN, table_name),
			 errmsg("table \"%s\" is staged in the open deltatx transaction", table_name),
			 errhint("Call deltatx_commit() or deltatx_rollback() first.")));
}
