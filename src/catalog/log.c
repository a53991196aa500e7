/*-------------------------------------------------------------------------
 *
 * log.c
 *	  The lines of a version's commit file, made from the catalog's rows.
 *
 * The bytes must never change: the worker may die between storing an object
 * and recording that it did, and its successor tells a lost response from a
 * foreign write by comparing.  So lines are a function of rows that are never
 * updated, in an order that the rows give: commitInfo, protocol, metaData,
 * txn by application, domainMetadata by domain, removes and adds as they were
 * staged.  commitInfo comes first because in-commit timestamps require it.
 *
 * File actions come through a cursor: a version of a million files needs no
 * more memory than one of a few hundred.  Whoever has seen that a version is
 * there must see its files, too: no statement here may use a snapshot that is
 * older than that.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "action/action.h"
#include "catalog/controls.h"
#include "catalog/log.h"
#include "catalog/scope.h"
#include "txn/uuid7.h"

/* Rows that a cursor fetches at once. */
#define FETCH_ROWS	500

static CatalogPlan select_version = {
	"SELECT commit_id, stamp, transaction_id, operation, operation_parameters, operation_metrics,"
	" user_metadata, tags, read_version, isolation, is_blind_append, engine_info,"
	" files_added, files_removed, controls"
	" FROM deltatx.dl_table_versions"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND version OPERATOR(pg_catalog.=) $2",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_participants = {
	"SELECT p.delta_id, p.version FROM deltatx.dl_transactions x"
	" CROSS JOIN LATERAL unnest(x.delta_ids, x.versions) WITH ORDINALITY AS p (delta_id, version, i)"
	" WHERE x.transaction_id OPERATOR(pg_catalog.=) $1 ORDER BY p.i",
	1, {UUIDOID}
};

static CatalogPlan select_removes = {
	"SELECT a.path, a.partition_values, a.size, COALESCE(r.deletion_timestamp, $2), r.data_change,"
	" a.stats, a.deletion_vector, COALESCE(r.extra, a.extra)"
	" FROM deltatx.dl_remove_files r"
	DELTATX_LOOKUP("SELECT * FROM deltatx.dl_add_files"
				   " WHERE commit_id OPERATOR(pg_catalog.=) r.add_commit_id"
				   " AND ord OPERATOR(pg_catalog.=) r.add_ord", "a")
	" WHERE r.commit_id OPERATOR(pg_catalog.=) $1 AND NOT r.superseded"
	" ORDER BY r.commit_id, r.ord",
	2, {INT8OID, INT8OID}
};

static CatalogPlan select_adds = {
	"SELECT path, partition_values, size, modification_time, data_change, stats,"
	" deletion_vector, extra"
	" FROM deltatx.dl_add_files"
	" WHERE commit_id OPERATOR(pg_catalog.=) $1"
	" ORDER BY commit_id, ord",
	1, {INT8OID}
};

/* What is being written, and to whom. */
typedef struct LogWriter
{
	int64		table_id;
	int64		version;
	int64		commit_id;
	DeltaTimestamp stamp;
	int64		files_added;	/* as the commit counted them */
	int64		files_removed;
	int64		controls;
	StringInfoData line;
	LogSink		sink;
	void	   *arg;
} LogWriter;

static void write_commit_info(LogWriter *writer);
static Participant *participants_of(const pg_uuid_t *transaction_id, int *n);
static void write_controls(LogWriter *writer);
static void write_files(LogWriter *writer, CatalogPlan *plan,
						void (*serialize) (StringInfo, const FileAction *), int64 expected);
static void write_rows(LogWriter *writer, void (*serialize) (StringInfo, const FileAction *));
static void read_file(FileAction *file, HeapTuple row);
static void check_count(const LogWriter *writer, const char *kind, int64 found, int64 expected);
static void emit(LogWriter *writer);

void
deltatx_log_write(int64 table_id, int64 version, LogSink sink, void *arg)
{
	LogWriter	writer = {table_id, version};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "deltatx log lines",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	writer.sink = sink;
	writer.arg = arg;
	initStringInfo(&writer.line);

	write_commit_info(&writer);
	write_controls(&writer);
	write_files(&writer, &select_removes, deltatx_serialize_remove, writer.files_removed);
	write_files(&writer, &select_adds, deltatx_serialize_add, writer.files_added);

	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
write_commit_info(LogWriter *writer)
{
	Datum		args[2] = {Int64GetDatum(writer->table_id), Int64GetDatum(writer->version)};
	CommitInfo	info = {0};
	HeapTuple	row;
	pg_uuid_t	transaction_id;
	bool		isnull;

	if (deltatx_plan_execute(&select_version, args, NULL) == 0)
		elog(ERROR, "table " INT64_FORMAT " has no version " INT64_FORMAT,
			 writer->table_id, writer->version);
	row = SPI_tuptable->vals[0];

	writer->commit_id = deltatx_result_int64(row, 1);
	writer->stamp = info.stamp = deltatx_result_int64(row, 2);
	transaction_id = *DatumGetUUIDP(SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
	info.operation = deltatx_result_text(row, 4);
	info.operation_parameters = deltatx_result_text(row, 5);
	info.operation_metrics = deltatx_result_text(row, 6);
	info.user_metadata = deltatx_result_text(row, 7);
	info.tags = deltatx_result_text(row, 8);
	info.read_version = deltatx_result_int64_or(row, 9, -1);
	info.isolation = deltatx_result_text(row, 10);
	info.is_blind_append = deltatx_result_bool(row, 11);
	info.engine_info = deltatx_result_text(row, 12);
	writer->files_added = deltatx_result_int64(row, 13);
	writer->files_removed = deltatx_result_int64(row, 14);
	writer->controls = deltatx_result_int64(row, 15);
	info.transaction_id = deltatx_uuid_text(&transaction_id);
	info.participants = participants_of(&transaction_id, &info.n_participants);

	deltatx_serialize_commit_info(&writer->line, &info);
	emit(writer);
}

static Participant *
participants_of(const pg_uuid_t *transaction_id, int *n)
{
	Datum		args[1] = {UUIDPGetDatum(transaction_id)};
	Participant *result;

	*n = (int) deltatx_plan_execute(&select_participants, args, NULL);
	result = palloc(sizeof(Participant) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		result[i].delta_id = deltatx_result_text(SPI_tuptable->vals[i], 1);
		result[i].version = deltatx_result_int64(SPI_tuptable->vals[i], 2);
	}
	return result;
}

static void
write_controls(LogWriter *writer)
{
	ProtocolAction *protocol = deltatx_protocol_load(writer->table_id, writer->version, false);
	MetadataAction *metadata = deltatx_metadata_load(writer->table_id, writer->version, false);
	List	   *txns = deltatx_txns_load(writer->table_id, writer->version);
	List	   *domains = deltatx_domains_load(writer->table_id, writer->version);
	ListCell   *cell;

	check_count(writer, "control", (protocol != NULL) + (metadata != NULL) + list_length(txns) +
				list_length(domains), writer->controls);
	if (protocol != NULL)
	{
		deltatx_serialize_protocol(&writer->line, protocol);
		emit(writer);
	}
	if (metadata != NULL)
	{
		deltatx_serialize_metadata(&writer->line, metadata);
		emit(writer);
	}
	foreach(cell, txns)
	{
		deltatx_serialize_txn(&writer->line, lfirst(cell));
		emit(writer);
	}
	foreach(cell, domains)
	{
		deltatx_serialize_domain(&writer->line, lfirst(cell));
		emit(writer);
	}
}

/* expected: how many there must be. */
static void
write_files(LogWriter *writer, CatalogPlan *plan,
			void (*serialize) (StringInfo, const FileAction *), int64 expected)
{
	Datum		args[2] = {Int64GetDatum(writer->commit_id), Int64GetDatum(writer->stamp)};
	Portal		cursor = deltatx_plan_open(plan, args);
	int64		written = 0;
	int64		fetched;

	do
	{
		SPI_cursor_fetch(cursor, true, FETCH_ROWS);
		fetched = (int64) SPI_processed;
		write_rows(writer, serialize);
		SPI_freetuptable(SPI_tuptable);
		written += fetched;
	} while (fetched > 0);
	SPI_cursor_close(cursor);

	check_count(writer, "file", written, expected);
}

/* The rows that were fetched. */
static void
write_rows(LogWriter *writer, void (*serialize) (StringInfo, const FileAction *))
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "deltatx log rows",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		FileAction	file;

		read_file(&file, SPI_tuptable->vals[i]);
		serialize(&writer->line, &file);
		emit(writer);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
read_file(FileAction *file, HeapTuple row)
{
	memset(file, 0, sizeof(FileAction));
	file->path = deltatx_result_text(row, 1);
	file->partition_values = deltatx_result_text(row, 2);
	file->size = deltatx_result_int64(row, 3);
	file->timestamp = deltatx_result_int64(row, 4);
	file->data_change = deltatx_result_bool(row, 5);
	file->stats = deltatx_result_text(row, 6);
	file->deletion_vector = deltatx_result_text(row, 7);
	file->extra = deltatx_result_text(row, 8);
}

/*
 * Better no line of a version than a version that lacks one: rows may be
 * missing while a dump is restored, or after somebody has changed the catalog.
 */
static void
check_count(const LogWriter *writer, const char *kind, int64 found, int64 expected)
{
	if (found == expected)
		return;
	elog(ERROR, "table " INT64_FORMAT ", version " INT64_FORMAT ": found " INT64_FORMAT
		 " %s actions instead of " INT64_FORMAT,
		 writer->table_id, writer->version, found, kind, expected);
}

static void
emit(LogWriter *writer)
{
	writer->sink(&writer->line, writer->arg);
	resetStringInfo(&writer->line);
}
