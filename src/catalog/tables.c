/*-------------------------------------------------------------------------
 *
 * tables.c
 *	  dl_tables, dl_table_heads and the shapes of tables.
 *
 * Every call needs the shape of its table: schema, partition columns,
 * properties, protocol.  Parsing a schema of a thousand columns costs
 * milliseconds, so a session keeps the shapes that it has met.  A shape is
 * found by the commit_id of the version that set it; that number comes from a
 * sequence and is never used twice, whereas a version number is (a version
 * that was rolled back, or lost in a crash with synchronous_commit off, is
 * made anew with other content).  So an entry is either right or not asked
 * for, as long as the catalog is the same: DROP and CREATE EXTENSION start the
 * sequence anew, and end what was kept.
 *
 * A commit of many tables holds on to the shapes of all.  So when a session
 * has met too many they are dropped between transactions, not when the next
 * one comes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/controls.h"
#include "catalog/locations.h"
#include "catalog/scope.h"
#include "catalog/tables.h"

/* Shapes kept from transaction to transaction; beyond, all are dropped. */
#define MAX_CACHED_SHAPES	256

typedef struct CachedShape
{
	int64		table_id;		/* hash key */
	int64		shape_commit_id;
	MemoryContext context;		/* NULL: no valid shape */
	TableShape *shape;
} CachedShape;

static HTAB *shapes = NULL;
static Oid	shapes_catalog = InvalidOid;	/* deltatx_catalog_oid() of them */

static CatalogPlan select_table = {
	"SELECT t.table_id, t.table_name, t.delta_id, t.location, t.owner_name, m.state,"
	" h.current_version, h.last_stamp, h.num_files, h.metadata_version, h.protocol_version,"
	" h.shape_commit_id"
	" FROM deltatx.dl_tables t"
	DELTATX_LOOKUP("SELECT * FROM deltatx.dl_table_heads"
				   " WHERE table_id OPERATOR(pg_catalog.=) t.table_id", "h")
	DELTATX_LOOKUP("SELECT state FROM deltatx.dl_mirror_status"
				   " WHERE table_id OPERATOR(pg_catalog.=) t.table_id", "m")
	" WHERE t.table_name OPERATOR(pg_catalog.=) $1 AND t.dropped_at IS NULL",
	1, {TEXTOID}
};

static CatalogPlan insert_table = {
	"INSERT INTO deltatx.dl_tables (table_id, table_name, delta_id, location, owner_name, created_at,"
	" server_name) VALUES ($1, $2, $3, $4, $5, $6,"
	" CASE WHEN $7 OPERATOR(pg_catalog.<>) '' THEN $7 END) ON CONFLICT DO NOTHING",
	7, {INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID}
};

static CatalogPlan insert_mirror_status = {
	"INSERT INTO deltatx.dl_mirror_status (table_id) VALUES ($1)", 1, {INT8OID}
};

static CatalogPlan rename_table = {
	"UPDATE deltatx.dl_tables SET table_name = $2 WHERE table_id OPERATOR(pg_catalog.=) $1",
	2, {INT8OID, TEXTOID}
};

static CatalogPlan mark_dropped = {
	"UPDATE deltatx.dl_tables SET dropped_at = pg_catalog.clock_timestamp()"
	" WHERE table_id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}
};

static TableRef *table_of_row(HeapTuple row);
static CachedShape *cached_shape(int64 table_id);
static void drop_cached_shapes(void);
static int64 next_of(const char *sequence);
static void refuse_taken_name(const char *table_name) pg_attribute_noreturn();

TableRef *
deltatx_table_find(const char *table_name)
{
	Datum		args[1] = {deltatx_text_datum(table_name)};

	if (deltatx_plan_execute(&select_table, args, NULL) == 0)
		return NULL;
	return table_of_row(SPI_tuptable->vals[0]);
}

const TableShape *
deltatx_table_shape(const TableRef *table)
{
	CachedShape *entry = cached_shape(table->table_id);
	MemoryContext context;
	MemoryContext old;
	TableShape *shape;

	if (entry->context != NULL && entry->shape_commit_id == table->shape_commit_id)
		return entry->shape;

	/* An error in between leaves the entry as it was, and no memory behind. */
	shape = deltatx_table_shape_at(table->table_id, table->current_version, table->table_name);
	context = AllocSetContextCreate(CurrentMemoryContext, "deltatx table shape",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	shape = deltatx_shape_build(&shape->metadata, &shape->protocol,
								&(DocumentPlace) {DTX_INVALID_DEFINITION, table->table_name});
	MemoryContextSwitchTo(old);

	MemoryContextSetParent(context, CacheMemoryContext);
	if (entry->context != NULL)
		MemoryContextDelete(entry->context);
	entry->context = context;
	entry->shape = shape;
	entry->shape_commit_id = table->shape_commit_id;
	return shape;
}

void
deltatx_table_shapes_trim(void)
{
	if (shapes != NULL && hash_get_num_entries(shapes) > MAX_CACHED_SHAPES)
		drop_cached_shapes();
}

TableShape *
deltatx_table_shape_at(int64 table_id, int64 version, const char *table_name)
{
	MetadataAction *metadata = deltatx_metadata_load(table_id, version, true);
	ProtocolAction *protocol = deltatx_protocol_load(table_id, version, true);

	if (metadata == NULL || protocol == NULL)
		elog(ERROR, "table \"%s\" has no metaData or protocol at version " INT64_FORMAT,
			 table_name, version);
	return deltatx_shape_build(metadata, protocol,
							   &(DocumentPlace) {DTX_INVALID_DEFINITION, table_name});
}

void
deltatx_table_insert(const NewTable *table)
{
	Datum		args[7];

	deltatx_location_reserve(table->location, table->table_name);

	args[0] = Int64GetDatum(table->table_id);
	args[1] = deltatx_text_datum(table->table_name);
	args[2] = deltatx_text_datum(table->delta_id);
	args[3] = deltatx_text_datum(table->location);
	args[4] = deltatx_text_datum(table->owner_name);
	args[5] = TimestampTzGetDatum(GetCurrentTimestamp());
	args[6] = deltatx_text_datum(table->server_name != NULL ? table->server_name : "");

	/* The location is reserved, so only the name can be in the way. */
	if (deltatx_plan_execute_waiting(&insert_table, args, table->table_name,
									 "Another transaction creates a table of that name; retry, or raise lock_timeout.") == 0)
		refuse_taken_name(table->table_name);
	(void) deltatx_plan_execute(&insert_mirror_status, args, NULL);
}

/*
 * The unique index waits for a concurrent taker of the name, and raises
 * PostgreSQL's own error when that one commits.
 */
void
deltatx_table_rename(int64 table_id, const char *new_name)
{
	Datum		args[2] = {Int64GetDatum(table_id), deltatx_text_datum(new_name)};
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		(void) deltatx_plan_execute(&rename_table, args, NULL);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
			PG_RE_THROW();
		FlushErrorState();
		refuse_taken_name(new_name);
	}
	PG_END_TRY();
}

void
deltatx_table_mark_dropped(int64 table_id)
{
	Datum		args[1] = {Int64GetDatum(table_id)};

	(void) deltatx_plan_execute(&mark_dropped, args, NULL);
}

int64
deltatx_next_table_id(void)
{
	return next_of("dl_table_id_seq");
}

int64
deltatx_next_commit_id(void)
{
	return next_of("dl_commit_id_seq");
}

static TableRef *
table_of_row(HeapTuple row)
{
	TableRef   *table = palloc(sizeof(TableRef));

	table->table_id = deltatx_result_int64(row, 1);
	table->table_name = deltatx_result_text(row, 2);
	table->delta_id = deltatx_result_text(row, 3);
	table->location = deltatx_result_text(row, 4);
	table->owner_name = deltatx_result_text(row, 5);
	table->mirror_state = deltatx_result_text(row, 6);
	table->current_version = deltatx_result_int64(row, 7);
	table->last_stamp = deltatx_result_int64(row, 8);
	table->num_files = deltatx_result_int64(row, 9);
	table->metadata_version = deltatx_result_int64(row, 10);
	table->protocol_version = deltatx_result_int64(row, 11);
	table->shape_commit_id = deltatx_result_int64(row, 12);
	return table;
}

/* The entry of a table, without a shape when it is new. */
static CachedShape *
cached_shape(int64 table_id)
{
	CachedShape *entry;
	bool		found;

	if (shapes != NULL && shapes_catalog != deltatx_catalog_oid())
		drop_cached_shapes();
	if (shapes == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(CachedShape)};

		shapes = hash_create("deltatx table shapes", 64, &control, HASH_ELEM | HASH_BLOBS);
		shapes_catalog = deltatx_catalog_oid();
	}

	entry = hash_search(shapes, &table_id, HASH_ENTER, &found);
	if (!found)
		entry->context = NULL;
	return entry;
}

static void
drop_cached_shapes(void)
{
	HASH_SEQ_STATUS scan;
	CachedShape *entry;

	hash_seq_init(&scan, shapes);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (entry->context != NULL)
			MemoryContextDelete(entry->context);
	hash_destroy(shapes);
	shapes = NULL;
}

static int64
next_of(const char *sequence)
{
	Oid			schema = get_namespace_oid("deltatx", false);

	return nextval_internal(get_relname_relid(sequence, schema), false);
}

static void
refuse_taken_name(const char *table_name)
{
	ereport(ERROR,
			(deltatx_condition(DTX_TABLE_EXISTS, table_name),
			 errmsg("table \"%s\" already exists", table_name),
			 errhint("Choose another name, or drop that table first.")));
}
