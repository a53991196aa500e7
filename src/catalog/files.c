/*-------------------------------------------------------------------------
 *
 * files.c
 *	  File actions: adds, removes and the live set.
 *
 * Files are many, all else is few.  So adds and removes are inserted when
 * they are staged, in batches that one statement unnests, under a commit_id
 * that no version refers to; commit binds the commit_id to a version without
 * touching a row of them.  What commit does touch is the live set: rows leave
 * it only under the head's lock.
 *
 * A staged add is in dl_live_files at once.  Others don't see it before
 * COMMIT; our own transaction does, and tells it apart by its commit_id.
 *
 * Nothing unique covers a path, or two sessions that stage one path would
 * wait for each other, and could deadlock.  Instead stage looks for its paths
 * in the live set as its snapshot has it, and commit, under the lock, looks
 * for them among what later versions added.
 *
 * A path is looked up by its hash in an index and then compared, since paths
 * are long and a hash is eight bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "catalog/arrays.h"
#include "catalog/files.h"
#include "catalog/scope.h"

/* Table $1's live rows of a path, and those that one add made, found by its path. */
#define LIVE_BY_HASH(path) \
	" FROM deltatx.dl_live_files WHERE table_id OPERATOR(pg_catalog.=) $1" \
	" AND path_hash OPERATOR(pg_catalog.=) pg_catalog.hashtextextended(" path ", 0)"
#define LIVE_OF_ADD(add) \
	LIVE_BY_HASH(add ".path") \
	" AND commit_id OPERATOR(pg_catalog.=) " add ".commit_id AND ord OPERATOR(pg_catalog.=) " add ".ord"

#define ADD_BY_KEY(commit_id, ord) \
	" FROM deltatx.dl_add_files WHERE commit_id OPERATOR(pg_catalog.=) " commit_id \
	" AND ord OPERATOR(pg_catalog.=) " ord

/*
 * Delete rows of the live set that a query finds.  As a join, the planner
 * could read the whole of the set first.
 */
#define DELETE_LIVE(ctids) \
	"DELETE FROM deltatx.dl_live_files WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY(" ctids "))"

/*
 * In a target list unnest hands out row by row, in FROM each array would be
 * stored first.
 */
static CatalogPlan insert_adds = {
	"INSERT INTO deltatx.dl_add_files (commit_id, ord, path, partition_values, size,"
	" modification_time, num_records, data_change, stats, deletion_vector, dv_id, extra)"
	" SELECT $1, ($2 + f.i - 1)::pg_catalog.int4, f.path, f.partition_values, f.size,"
	" f.modification_time, CASE WHEN f.num_records OPERATOR(pg_catalog.>=) 0 THEN f.num_records END, f.data_change, f.stats, f.deletion_vector, f.dv_id, f.extra"
	" FROM (SELECT pg_catalog.generate_subscripts($3, 1) AS i, pg_catalog.unnest($3) AS path,"
	" pg_catalog.unnest($4) AS partition_values, pg_catalog.unnest($5) AS size,"
	" pg_catalog.unnest($6) AS modification_time, pg_catalog.unnest($7) AS num_records,"
	" pg_catalog.unnest($8) AS data_change, pg_catalog.unnest($9) AS stats,"
	" pg_catalog.unnest($10) AS deletion_vector, pg_catalog.unnest($11) AS dv_id,"
	" pg_catalog.unnest($12) AS extra) f",
	12, {INT8OID, INT8OID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	BOOLARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}
};

static CatalogPlan insert_live = {
	"INSERT INTO deltatx.dl_live_files (table_id, commit_id, ord, path_hash, size, path)"
	" SELECT $1, $2, ($3 + f.i - 1)::pg_catalog.int4,"
	" pg_catalog.hashtextextended(f.path COLLATE \"C\", 0), f.size, f.path"
	" FROM (SELECT pg_catalog.generate_subscripts($4, 1) AS i,"
	" pg_catalog.unnest($4) AS path, pg_catalog.unnest($5) AS size) f",
	5, {INT8OID, INT8OID, INT8OID, TEXTARRAYOID, INT8ARRAYOID}
};

static CatalogPlan match_files = {
	"SELECT f.i, l.commit_id, l.ord, l.size, a.dv_id"
	" FROM unnest($2) WITH ORDINALITY AS f (path, i)"
	DELTATX_LOOKUP("SELECT commit_id, ord, size" LIVE_BY_HASH("f.path COLLATE \"C\"")
				   " AND path OPERATOR(pg_catalog.=) f.path COLLATE \"C\"", "l")
	DELTATX_LOOKUP("SELECT dv_id" ADD_BY_KEY("l.commit_id", "l.ord"), "a"),
	2, {INT8OID, TEXTARRAYOID}
};

static CatalogPlan insert_removes = {
	"INSERT INTO deltatx.dl_remove_files (commit_id, ord, add_commit_id, add_ord, deletion_timestamp,"
	" data_change, superseded, extra)"
	" SELECT $1, ($2 + f.i - 1)::pg_catalog.int4, f.add_commit_id, f.add_ord::pg_catalog.int4,"
	" CASE WHEN f.deletion_timestamp OPERATOR(pg_catalog.>=) 0 THEN f.deletion_timestamp END,"
	" f.data_change, $3, f.extra"
	" FROM unnest($4, $5, $6, $7, $8) WITH ORDINALITY"
	" AS f (add_commit_id, add_ord, deletion_timestamp, data_change, extra, i)",
	8, {INT8OID, INT8OID, BOOLOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, TEXTARRAYOID}
};

static CatalogPlan apply_removes = {
	DELETE_LIVE("SELECT l.ctid FROM deltatx.dl_remove_files r"
				DELTATX_LOOKUP("SELECT commit_id, ord, path" ADD_BY_KEY("r.add_commit_id", "r.add_ord"), "a")
				DELTATX_LOOKUP("SELECT ctid" LIVE_OF_ADD("a"), "l")
				" WHERE r.commit_id OPERATOR(pg_catalog.=) $2"),
	2, {INT8OID, INT8OID}
};

/* The tail of a statement whose CTE "gone" deleted rows of the live set. */
#define INSERT_GONE \
	", inserted AS (" \
	"INSERT INTO deltatx.dl_remove_files (commit_id, ord, add_commit_id, add_ord, data_change)" \
	" SELECT $2, ($3 + pg_catalog.row_number() OVER () - 1)::pg_catalog.int4, commit_id, ord, true" \
	" FROM gone)" \
	" SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum(size), 0)::pg_catalog.int8 FROM gone"

static CatalogPlan remove_all = {
	"WITH gone AS (DELETE FROM deltatx.dl_live_files"
	" WHERE table_id OPERATOR(pg_catalog.=) $1 AND commit_id OPERATOR(pg_catalog.<>) $2"
	" RETURNING commit_id, ord, size)" INSERT_GONE,
	3, {INT8OID, INT8OID, INT8OID}
};

static CatalogPlan remove_of_partitions = {
	"WITH gone AS ("
	DELETE_LIVE("SELECT l.ctid FROM deltatx.dl_live_files l"
				DELTATX_LOOKUP("SELECT partition_values" ADD_BY_KEY("l.commit_id", "l.ord"), "a")
				" WHERE l.table_id OPERATOR(pg_catalog.=) $1 AND l.commit_id OPERATOR(pg_catalog.<>) $2"
				" AND a.partition_values OPERATOR(pg_catalog.=) ANY ($4)")
	" RETURNING commit_id, ord, size)" INSERT_GONE,
	4, {INT8OID, INT8OID, INT8OID, TEXTARRAYOID}
};

static CatalogPlan live_partitions = {
	"SELECT DISTINCT a.partition_values FROM deltatx.dl_live_files l"
	DELTATX_LOOKUP("SELECT partition_values" ADD_BY_KEY("l.commit_id", "l.ord"), "a")
	" WHERE l.table_id OPERATOR(pg_catalog.=) $1 AND l.commit_id OPERATOR(pg_catalog.<>) $2",
	2, {INT8OID, INT8OID}
};

static CatalogPlan own_partitions = {
	"SELECT DISTINCT partition_values FROM deltatx.dl_add_files"
	" WHERE commit_id OPERATOR(pg_catalog.=) $1",
	1, {INT8OID}
};

/* Driven by what the winners did, so that own files cost nothing. */
static CatalogPlan first_duplicate = {
	"SELECT theirs.path FROM deltatx.dl_table_versions v"
	DELTATX_LOOKUP("SELECT path FROM deltatx.dl_add_files"
				   " WHERE commit_id OPERATOR(pg_catalog.=) v.commit_id", "theirs")
	DELTATX_LOOKUP("SELECT 1" LIVE_BY_HASH("theirs.path")
				   " AND path OPERATOR(pg_catalog.=) theirs.path"
				   " AND commit_id OPERATOR(pg_catalog.=) $2", "own")
	" WHERE v.table_id OPERATOR(pg_catalog.=) $1 AND v.version OPERATOR(pg_catalog.>) $3 LIMIT 1",
	3, {INT8OID, INT8OID, INT8OID}
};

/* An own remove whose file is live no longer, and the winner that removed it. */
static CatalogPlan first_gone = {
	"SELECT a.path, (SELECT v.version FROM deltatx.dl_table_versions v"
	DELTATX_LOOKUP("SELECT 1 FROM deltatx.dl_remove_files"
				   " WHERE commit_id OPERATOR(pg_catalog.=) v.commit_id"
				   " AND add_commit_id OPERATOR(pg_catalog.=) a.commit_id"
				   " AND add_ord OPERATOR(pg_catalog.=) a.ord", "theirs")
	" WHERE v.table_id OPERATOR(pg_catalog.=) $1 AND v.version OPERATOR(pg_catalog.>) $3"
	" ORDER BY v.version LIMIT 1)"
	" FROM deltatx.dl_remove_files r"
	DELTATX_LOOKUP("SELECT commit_id, ord, path" ADD_BY_KEY("r.add_commit_id", "r.add_ord"), "a")
	DELTATX_LOOKUP("SELECT pg_catalog.count(*) AS rows" LIVE_OF_ADD("a"), "l")
	" WHERE r.commit_id OPERATOR(pg_catalog.=) $2 AND l.rows OPERATOR(pg_catalog.=) 0"
	" ORDER BY r.commit_id, r.ord LIMIT 1",
	3, {INT8OID, INT8OID, INT8OID}
};

static CatalogPlan first_removed_twice = {
	"SELECT a.path FROM (SELECT add_commit_id, add_ord FROM deltatx.dl_remove_files"
	" WHERE commit_id OPERATOR(pg_catalog.=) $1 GROUP BY add_commit_id, add_ord"
	" HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1 LIMIT 1) twice"
	DELTATX_LOOKUP("SELECT path" ADD_BY_KEY("twice.add_commit_id", "twice.add_ord"), "a"),
	1, {INT8OID}
};

static CatalogPlan unstage_live = {
	DELETE_LIVE("SELECT l.ctid FROM deltatx.dl_add_files a"
				DELTATX_LOOKUP("SELECT ctid" LIVE_OF_ADD("a"), "l")
				" WHERE a.commit_id OPERATOR(pg_catalog.=) $2"),
	2, {INT8OID, INT8OID}
};

static CatalogPlan unstage_adds = {
	"DELETE FROM deltatx.dl_add_files WHERE commit_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}
};

static CatalogPlan unstage_removes = {
	"DELETE FROM deltatx.dl_remove_files WHERE commit_id OPERATOR(pg_catalog.=) $1", 1, {INT8OID}
};

static Datum paths_of(const FileBatch *batch);
static Datum texts_of(const FileBatch *batch, size_t offset);
static Datum numbers_of(const FileBatch *batch, size_t offset);
static Datum data_changes_of(const FileBatch *batch);
static int64 counted(int64 *bytes);
static List *column_of_result(void);
static int64 remove_in_partitions(int64 table_id, int64 commit_id, int32 first_ord,
								  const List *partitions, int64 *bytes);
static List *live_partition_values(int64 table_id, int64 commit_id);
static bool contains_string(const List *strings, const char *string);

void
deltatx_adds_insert(const FileBatch *batch)
{
	Datum		paths = paths_of(batch);
	Datum		sizes = numbers_of(batch, offsetof(FileAction, size));
	Datum		adds[12] = {
		Int64GetDatum(batch->commit_id), Int64GetDatum(batch->first_ord), paths,
		texts_of(batch, offsetof(FileAction, partition_values)), sizes,
		numbers_of(batch, offsetof(FileAction, timestamp)),
		numbers_of(batch, offsetof(FileAction, num_records)), data_changes_of(batch),
		texts_of(batch, offsetof(FileAction, stats)),
		texts_of(batch, offsetof(FileAction, deletion_vector)),
		texts_of(batch, offsetof(FileAction, dv_id)),
		texts_of(batch, offsetof(FileAction, extra))
	};
	Datum		live[5] = {
		Int64GetDatum(batch->table_id), Int64GetDatum(batch->commit_id),
		Int64GetDatum(batch->first_ord), paths, sizes
	};

	(void) deltatx_plan_execute(&insert_adds, adds, NULL);
	(void) deltatx_plan_execute(&insert_live, live, NULL);
}

int
deltatx_files_match(const FileBatch *batch, LiveMatch **matches)
{
	Datum		args[2] = {Int64GetDatum(batch->table_id), paths_of(batch)};
	uint64		n = deltatx_plan_execute(&match_files, args, NULL);

	*matches = palloc(sizeof(LiveMatch) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		LiveMatch  *match = &(*matches)[i];

		match->index = (int) deltatx_result_int64(row, 1) - 1;
		match->commit_id = deltatx_result_int64(row, 2);
		match->ord = deltatx_result_int32(row, 3);
		match->size = deltatx_result_int64(row, 4);
		match->dv_id = deltatx_result_text(row, 5);
	}
	SPI_freetuptable(SPI_tuptable);
	return (int) n;
}

void
deltatx_removes_insert(int64 commit_id, int32 first_ord, const LiveMatch *files,
					   FileAction *const *removes, int n, bool superseded)
{
	int64	   *commits = palloc(sizeof(int64) * Max(n, 1));
	int64	   *ords = palloc(sizeof(int64) * Max(n, 1));
	int64	   *timestamps = palloc(sizeof(int64) * Max(n, 1));
	bool	   *changes = palloc(sizeof(bool) * Max(n, 1));
	char	  **extras = palloc(sizeof(char *) * Max(n, 1));
	Datum		args[8];

	for (int i = 0; i < n; i++)
	{
		commits[i] = files[i].commit_id;
		ords[i] = files[i].ord;
		timestamps[i] = removes == NULL ? -1 : removes[i]->timestamp;
		changes[i] = removes == NULL ? false : removes[i]->data_change;
		extras[i] = removes == NULL ? NULL : removes[i]->extra;
	}

	args[0] = Int64GetDatum(commit_id);
	args[1] = Int64GetDatum(first_ord);
	args[2] = BoolGetDatum(superseded);
	args[3] = deltatx_int8_array(commits, n);
	args[4] = deltatx_int8_array(ords, n);
	args[5] = deltatx_int8_array(timestamps, n);
	args[6] = deltatx_bool_array(changes, n);
	args[7] = deltatx_text_array(extras, n);
	(void) deltatx_plan_execute(&insert_removes, args, NULL);
}

int64
deltatx_removes_apply(int64 table_id, int64 commit_id)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(commit_id)};

	return (int64) deltatx_plan_execute(&apply_removes, args, NULL);
}

int64
deltatx_removes_all(int64 table_id, int64 commit_id, int32 first_ord, int64 *bytes)
{
	Datum		args[3] = {Int64GetDatum(table_id), Int64GetDatum(commit_id), Int64GetDatum(first_ord)};

	(void) deltatx_plan_execute(&remove_all, args, NULL);
	return counted(bytes);
}

/*
 * The filter is applied to each distinct partition instead of to each file:
 * a table has few of the former.
 */
int64
deltatx_removes_matching(int64 table_id, int64 commit_id, int32 first_ord,
						 const PartitionFilter *filter, int64 *bytes)
{
	List	   *matching = NIL;
	ListCell   *cell;

	foreach(cell, live_partition_values(table_id, commit_id))
		if (deltatx_partition_filter_matches(filter, lfirst(cell)))
			matching = lappend(matching, lfirst(cell));
	return remove_in_partitions(table_id, commit_id, first_ord, matching, bytes);
}

/*
 * Two spellings can name one partition ("1" and "01"), so partitions are
 * compared by their keys.
 */
int64
deltatx_removes_of_partitions(int64 table_id, int64 commit_id, int32 first_ord,
							  const struct TableShape *shape, int64 *bytes)
{
	Datum		args[1] = {Int64GetDatum(commit_id)};
	List	   *own = NIL;
	List	   *matching = NIL;
	ListCell   *cell;

	(void) deltatx_plan_execute(&own_partitions, args, NULL);
	foreach(cell, column_of_result())
		own = lappend(own, deltatx_partition_key(shape, lfirst(cell)));

	foreach(cell, live_partition_values(table_id, commit_id))
		if (contains_string(own, deltatx_partition_key(shape, lfirst(cell))))
			matching = lappend(matching, lfirst(cell));
	return remove_in_partitions(table_id, commit_id, first_ord, matching, bytes);
}

char *
deltatx_adds_first_duplicate(int64 table_id, int64 commit_id, int64 after_version)
{
	Datum		args[3] = {Int64GetDatum(table_id), Int64GetDatum(commit_id), Int64GetDatum(after_version)};

	if (deltatx_plan_execute(&first_duplicate, args, NULL) == 0)
		return NULL;
	return deltatx_result_text(SPI_tuptable->vals[0], 1);
}

char *
deltatx_removes_first_gone(int64 table_id, int64 commit_id, int64 after_version, int64 *winner)
{
	Datum		args[3] = {Int64GetDatum(table_id), Int64GetDatum(commit_id), Int64GetDatum(after_version)};

	if (deltatx_plan_execute(&first_gone, args, NULL) == 0)
		return NULL;
	*winner = deltatx_result_int64(SPI_tuptable->vals[0], 2);
	return deltatx_result_text(SPI_tuptable->vals[0], 1);
}

char *
deltatx_removes_first_twice(int64 commit_id)
{
	Datum		args[1] = {Int64GetDatum(commit_id)};

	if (deltatx_plan_execute(&first_removed_twice, args, NULL) == 0)
		return NULL;
	return deltatx_result_text(SPI_tuptable->vals[0], 1);
}

void
deltatx_files_unstage(int64 table_id, int64 commit_id)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(commit_id)};

	(void) deltatx_plan_execute(&unstage_live, args, NULL);
	(void) deltatx_plan_execute(&unstage_adds, &args[1], NULL);
	(void) deltatx_plan_execute(&unstage_removes, &args[1], NULL);
}

static Datum
paths_of(const FileBatch *batch)
{
	return texts_of(batch, offsetof(FileAction, path));
}

/* A char * field of each action. */
static Datum
texts_of(const FileBatch *batch, size_t offset)
{
	char	  **values = palloc(sizeof(char *) * Max(batch->n, 1));
	Datum		array;

	for (int i = 0; i < batch->n; i++)
		values[i] = *(char **) ((char *) batch->actions[i] + offset);
	array = deltatx_text_array(values, batch->n);
	pfree(values);
	return array;
}

/* An int64 field of each action. */
static Datum
numbers_of(const FileBatch *batch, size_t offset)
{
	int64		values[FILE_BATCH_ROWS];

	for (int i = 0; i < batch->n; i++)
		values[i] = *(int64 *) ((char *) batch->actions[i] + offset);
	return deltatx_int8_array(values, batch->n);
}

static Datum
data_changes_of(const FileBatch *batch)
{
	bool		values[FILE_BATCH_ROWS];

	for (int i = 0; i < batch->n; i++)
		values[i] = batch->actions[i]->data_change;
	return deltatx_bool_array(values, batch->n);
}

/* The two results of INSERT_GONE. */
static int64
counted(int64 *bytes)
{
	*bytes = deltatx_result_int64(SPI_tuptable->vals[0], 2);
	return deltatx_result_int64(SPI_tuptable->vals[0], 1);
}

static List *
column_of_result(void)
{
	List	   *result = NIL;

	for (uint64 i = 0; i < SPI_processed; i++)
		result = lappend(result, deltatx_result_text(SPI_tuptable->vals[i], 1));
	return result;
}

static int64
remove_in_partitions(int64 table_id, int64 commit_id, int32 first_ord,
					 const List *partitions, int64 *bytes)
{
	Datum		args[4] = {
		Int64GetDatum(table_id), Int64GetDatum(commit_id), Int64GetDatum(first_ord),
		deltatx_text_array_of_list(partitions)
	};

	(void) deltatx_plan_execute(&remove_of_partitions, args, NULL);
	return counted(bytes);
}

static List *
live_partition_values(int64 table_id, int64 commit_id)
{
	Datum		args[2] = {Int64GetDatum(table_id), Int64GetDatum(commit_id)};

	(void) deltatx_plan_execute(&live_partitions, args, NULL);
	return column_of_result();
}

static bool
contains_string(const List *strings, const char *string)
{
	ListCell   *cell;

	foreach(cell, strings)
		if (strcmp(lfirst(cell), string) == 0)
			return true;
	return false;
}
