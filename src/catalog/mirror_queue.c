/*-------------------------------------------------------------------------
 *
 * mirror_queue.c
 *	  The mirror's tables: what waits to be published, what was claimed, how
 *	  far each table is.
 *
 * The order of publication is that of the transactions' stamps, so that all
 * tables of a transaction follow each other as closely as possible.  There is
 * no index by stamp: it would be full of the versions of paused tables.
 * Instead each table that has something queued contributes its first few
 * versions, and they are merged.  A table that has more than it contributed
 * limits how far the merge may go: what comes after its last one is not known.
 *
 * The tables in the queue are found by skipping through its key, so the cost
 * of a look grows with the number of tables that have something to publish,
 * and with nothing else.  For that, too, their status is looked up one by one:
 * LIMIT in the subquery leaves the planner no join that reads all of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "catalog/arrays.h"
#include "catalog/mirror_queue.h"
#include "catalog/scope.h"

/* The tables that have something queued, and a last row that is NULL. */
#define QUEUED_TABLES \
	"WITH RECURSIVE queued (table_id) AS (" \
	" (SELECT q.table_id FROM deltatx.dl_mirror_queue q ORDER BY q.table_id LIMIT 1)" \
	" UNION ALL" \
	" SELECT (SELECT q.table_id FROM deltatx.dl_mirror_queue q" \
	" WHERE q.table_id OPERATOR(pg_catalog.>) p.table_id ORDER BY q.table_id LIMIT 1)" \
	" FROM queued p WHERE p.table_id IS NOT NULL)"

/*
 * A diverged table is tried again only when somebody asks for it, which sets
 * its next attempt.
 *
 * A table that isn't well contributes one version and doesn't limit the merge:
 * most likely it fails again.
 */
static CatalogPlan select_next = {
	QUEUED_TABLES
	", due AS MATERIALIZED ("
	" SELECT s.table_id, s.state, s.attempts FROM queued p CROSS JOIN LATERAL ("
	" SELECT m.table_id, m.state, m.attempts FROM deltatx.dl_mirror_status m"
	" WHERE m.table_id OPERATOR(pg_catalog.=) p.table_id AND NOT m.paused"
	" AND CASE WHEN m.next_attempt_at IS NULL THEN m.state OPERATOR(pg_catalog.<>) 'diverged'"
	" ELSE m.next_attempt_at OPERATOR(pg_catalog.<=) pg_catalog.statement_timestamp() END"
	" LIMIT 1) s"
	"), share AS MATERIALIZED ("
	" SELECT GREATEST(2, 2 OPERATOR(pg_catalog.*) $1 OPERATOR(pg_catalog./) pg_catalog.count(*))"
	" AS size FROM due"
	"), candidates AS MATERIALIZED ("
	" SELECT d.state, d.attempts, q.table_id, q.version, q.transaction_id, v.stamp"
	" FROM due d CROSS JOIN LATERAL ("
	" SELECT m.table_id, m.version, m.transaction_id FROM deltatx.dl_mirror_queue m"
	" WHERE m.table_id OPERATOR(pg_catalog.=) d.table_id ORDER BY m.version"
	" LIMIT (SELECT CASE d.state WHEN 'idle' THEN size ELSE 1 END FROM share)) q"
	DELTATX_LOOKUP("SELECT stamp FROM deltatx.dl_table_versions"
				   " WHERE table_id OPERATOR(pg_catalog.=) q.table_id"
				   " AND version OPERATOR(pg_catalog.=) q.version", "v")
	"), known AS MATERIALIZED ("
	" SELECT pg_catalog.min(last) AS until FROM ("
	" SELECT pg_catalog.max(stamp) AS last FROM candidates"
	" WHERE state OPERATOR(pg_catalog.=) 'idle' GROUP BY table_id"
	" HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=) (SELECT size FROM share)) cut)"
	" SELECT c.table_id, c.version, c.stamp, h.current_version, t.table_name, t.location,"
	" c.transaction_id::pg_catalog.text, c.state, c.attempts, t.owner_name, t.server_name,"
	" p.length, p.sha256"
	" FROM candidates c CROSS JOIN known k"
	DELTATX_LOOKUP("SELECT table_name, location, owner_name, server_name FROM deltatx.dl_tables"
				   " WHERE table_id OPERATOR(pg_catalog.=) c.table_id", "t")
	DELTATX_LOOKUP("SELECT current_version FROM deltatx.dl_table_heads"
				   " WHERE table_id OPERATOR(pg_catalog.=) c.table_id", "h")
	" LEFT JOIN LATERAL (SELECT length, sha256 FROM deltatx.dl_published_versions"
	" WHERE table_id OPERATOR(pg_catalog.=) c.table_id"
	" AND version OPERATOR(pg_catalog.=) c.version OFFSET 0) p ON true"
	" WHERE k.until IS NULL OR c.stamp OPERATOR(pg_catalog.<=) k.until"
	" ORDER BY c.stamp, c.transaction_id, c.table_id LIMIT $1",
	1, {INT8OID}
};

static CatalogPlan select_next_attempt = {
	QUEUED_TABLES
	" SELECT pg_catalog.min((SELECT m.next_attempt_at FROM deltatx.dl_mirror_status m"
	" WHERE m.table_id OPERATOR(pg_catalog.=) p.table_id AND NOT m.paused)) FROM queued p",
	0
};

static CatalogPlan insert_claims = {
	"INSERT INTO deltatx.dl_published_versions (table_id, version, length, sha256, claimed_at)"
	" SELECT v.table_id, v.version, v.length, v.sha256, pg_catalog.statement_timestamp()"
	" FROM unnest($1, $2, $3, $4) AS v (table_id, version, length, sha256)",
	4, {INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, BYTEAARRAYOID}
};

static CatalogPlan record_published = {
	"WITH locked AS MATERIALIZED ("
	" SELECT s.table_id FROM deltatx.dl_mirror_status s"
	" WHERE s.table_id OPERATOR(pg_catalog.=) ANY ($1)"
	" FOR NO KEY UPDATE SKIP LOCKED"
	"), published AS MATERIALIZED ("
	" SELECT v.table_id, v.version, v.at"
	" FROM unnest($1, $2, $3) AS v (table_id, version, at)"
	" JOIN locked l ON l.table_id OPERATOR(pg_catalog.=) v.table_id"
	"), dequeued AS ("
	" DELETE FROM deltatx.dl_mirror_queue WHERE ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
	"SELECT q.ctid FROM published p"
	DELTATX_LOOKUP("SELECT ctid FROM deltatx.dl_mirror_queue"
				   " WHERE table_id OPERATOR(pg_catalog.=) p.table_id"
				   " AND version OPERATOR(pg_catalog.=) p.version", "q")
	"))), marked AS ("
	" UPDATE deltatx.dl_published_versions SET mirrored_at = m.at"
	" FROM (SELECT q.ctid, p.at FROM published p"
	DELTATX_LOOKUP("SELECT ctid FROM deltatx.dl_published_versions"
				   " WHERE table_id OPERATOR(pg_catalog.=) p.table_id"
				   " AND version OPERATOR(pg_catalog.=) p.version", "q")
	") m WHERE dl_published_versions.ctid OPERATOR(pg_catalog.=) m.ctid)"
	" UPDATE deltatx.dl_mirror_status s SET mirrored_version = p.version, attempts = 0,"
	" state = 'idle', state_since = CASE WHEN s.state OPERATOR(pg_catalog.=) 'idle'"
	" THEN s.state_since ELSE pg_catalog.statement_timestamp() END,"
	" next_attempt_at = NULL, error_class = NULL, last_error = NULL, object = NULL"
	" FROM (SELECT table_id, pg_catalog.max(version) AS version FROM published GROUP BY table_id) p"
	" WHERE s.table_id OPERATOR(pg_catalog.=) p.table_id RETURNING s.table_id",
	3, {INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID}
};

static CatalogPlan record_failure = {
	"WITH locked AS MATERIALIZED ("
	" SELECT s.table_id FROM deltatx.dl_mirror_status s"
	" WHERE s.table_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED)"
	" UPDATE deltatx.dl_mirror_status s SET state = $2,"
	" state_since = CASE WHEN s.state OPERATOR(pg_catalog.=) $2"
	" THEN s.state_since ELSE pg_catalog.statement_timestamp() END,"
	" attempts = $3, next_attempt_at = $4, error_class = $5, last_error = $6, object = $7"
	" FROM locked l WHERE s.table_id OPERATOR(pg_catalog.=) l.table_id",
	7, {INT8OID, TEXTOID, INT4OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID}
};

/* The status row is locked first, as the worker does, or it would wait for us. */
static CatalogPlan discard = {
	"WITH locked AS MATERIALIZED ("
	" SELECT s.table_id FROM deltatx.dl_mirror_status s"
	" WHERE s.table_id OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE)"
	" DELETE FROM deltatx.dl_mirror_queue q USING locked l"
	" WHERE q.table_id OPERATOR(pg_catalog.=) l.table_id",
	1, {INT8OID}
};

static QueuedVersion *read_queued(HeapTuple row);
static FileProof *read_proof(HeapTuple row, int column);
static Datum proof_datum(const FileProof *proof);
static bool returned(int64 table_id);
static Datum array_of(Datum *elements, int n, Oid type, int length, bool by_value, char align);

List *
deltatx_queue_next(int max_versions)
{
	Datum		args[1] = {Int64GetDatum(max_versions)};
	List	   *result = NIL;

	deltatx_plan_execute(&select_next, args, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
		result = lappend(result, read_queued(SPI_tuptable->vals[i]));
	return result;
}

static QueuedVersion *
read_queued(HeapTuple row)
{
	QueuedVersion *queued = palloc(sizeof(QueuedVersion));

	queued->table_id = deltatx_result_int64(row, 1);
	queued->version = deltatx_result_int64(row, 2);
	queued->stamp = deltatx_result_int64(row, 3);
	queued->current_version = deltatx_result_int64(row, 4);
	queued->table_name = deltatx_result_text(row, 5);
	queued->location = deltatx_result_text(row, 6);
	queued->transaction_id = deltatx_result_text(row, 7);
	queued->state = deltatx_result_text(row, 8);
	queued->attempts = deltatx_result_int32(row, 9);
	queued->owner_name = deltatx_result_text(row, 10);
	queued->server_name = deltatx_result_text(row, 11);
	queued->claimed = read_proof(row, 12);
	return queued;
}

/* From two columns, length and SHA-256; NULL for NULL. */
static FileProof *
read_proof(HeapTuple row, int column)
{
	int64		length = deltatx_result_int64_or(row, column, -1);
	bool		isnull;
	Datum		sha256 = SPI_getbinval(row, SPI_tuptable->tupdesc, column + 1, &isnull);
	FileProof  *proof;
	bytea	   *bytes;

	if (length < 0 || isnull)
		return NULL;
	proof = palloc0(sizeof(FileProof));
	proof->length = length;
	bytes = DatumGetByteaPP(sha256);
	memcpy(proof->sha256, VARDATA_ANY(bytes),
		   Min(VARSIZE_ANY_EXHDR(bytes), sizeof(proof->sha256)));
	return proof;
}

TimestampTz
deltatx_queue_next_attempt(void)
{
	bool		isnull;
	Datum		next;

	deltatx_plan_execute(&select_next_attempt, NULL, NULL);
	next = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? DT_NOEND : DatumGetTimestampTz(next);
}

void
deltatx_queue_claim(QueuedVersion *const *versions, const FileProof *const *proofs, int n)
{
	int64	   *table_ids = palloc(n * sizeof(int64));
	int64	   *numbers = palloc(n * sizeof(int64));
	int64	   *lengths = palloc(n * sizeof(int64));
	Datum	   *hashes = palloc(n * sizeof(Datum));
	Datum		args[4];

	for (int i = 0; i < n; i++)
	{
		table_ids[i] = versions[i]->table_id;
		numbers[i] = versions[i]->version;
		lengths[i] = proofs[i]->length;
		hashes[i] = proof_datum(proofs[i]);
	}
	args[0] = deltatx_int8_array(table_ids, n);
	args[1] = deltatx_int8_array(numbers, n);
	args[2] = deltatx_int8_array(lengths, n);
	args[3] = array_of(hashes, n, BYTEAOID, -1, false, TYPALIGN_INT);
	deltatx_plan_execute(&insert_claims, args, NULL);
}

static Datum
proof_datum(const FileProof *proof)
{
	bytea	   *bytes = palloc(VARHDRSZ + sizeof(proof->sha256));

	SET_VARSIZE(bytes, VARHDRSZ + sizeof(proof->sha256));
	memcpy(VARDATA(bytes), proof->sha256, sizeof(proof->sha256));
	return PointerGetDatum(bytes);
}

uint64
deltatx_queue_record(QueuedVersion *const *versions, const TimestampTz *at, int n, bool *recorded)
{
	int64	   *table_ids = palloc(n * sizeof(int64));
	int64	   *numbers = palloc(n * sizeof(int64));
	Datum	   *times = palloc(n * sizeof(Datum));
	Datum		args[3];
	uint64		n_tables;

	for (int i = 0; i < n; i++)
	{
		table_ids[i] = versions[i]->table_id;
		numbers[i] = versions[i]->version;
		times[i] = TimestampTzGetDatum(at[i]);
	}
	args[0] = deltatx_int8_array(table_ids, n);
	args[1] = deltatx_int8_array(numbers, n);
	args[2] = array_of(times, n, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	n_tables = deltatx_plan_execute(&record_published, args, NULL);
	for (int i = 0; i < n; i++)
		recorded[i] = returned(versions[i]->table_id);
	return n_tables;
}

/* Whether the statement that was just executed returned this id. */
static bool
returned(int64 table_id)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		if (deltatx_result_int64(SPI_tuptable->vals[i], 1) == table_id)
			return true;
	}
	return false;
}

uint64
deltatx_queue_record_failure(const MirrorFailure *failure)
{
	Datum		args[7];
	char		nulls[7];

	memset(nulls, ' ', sizeof(nulls));
	args[0] = Int64GetDatum(failure->table_id);
	args[1] = deltatx_text_datum(failure->state);
	args[2] = Int32GetDatum(failure->attempts);
	args[3] = TimestampTzGetDatum(failure->next_attempt_at);
	nulls[3] = DELTATX_NULL_IF(TIMESTAMP_IS_NOEND(failure->next_attempt_at));
	args[4] = deltatx_text_datum(failure->error_class);
	args[5] = deltatx_text_datum(failure->last_error);
	args[6] = deltatx_text_datum(failure->object);
	nulls[6] = DELTATX_NULL_IF(failure->object == NULL);
	return deltatx_plan_execute(&record_failure, args, nulls);
}

int64
deltatx_queue_discard(int64 table_id)
{
	Datum		args[1] = {Int64GetDatum(table_id)};

	return (int64) deltatx_plan_execute(&discard, args, NULL);
}

static Datum
array_of(Datum *elements, int n, Oid type, int length, bool by_value, char align)
{
	return PointerGetDatum(construct_array(elements, n, type, length, by_value, align));
}
