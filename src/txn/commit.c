/*-------------------------------------------------------------------------
 *
 * commit.c
 *	  Lock, validate, insert, bump: the commit of a deltatx transaction.
 *
 * (1) Lock the heads of all tables that were written or read, in the order of
 *	   table_id.  From here on their versions stand still.
 * (2) Validate against the versions that won since each table was staged.
 * (3) Take removed files out of the live set; insert a version for each table,
 *	   which binds the rows staged under its commit_id.
 * (4) Bump the heads.
 *
 * Adds are not touched here, however many: stage has checked them against the
 * live set of its snapshot, and what remains is to look at what later versions
 * added.  So the locks are held for a time that grows with what is removed and
 * with the winners, and then until the caller's COMMIT.  For the same reason
 * the log that the adds have written is flushed before.
 *
 * Nothing here is final before that COMMIT.  A crash at any point, an error, a
 * ROLLBACK or a ROLLBACK TO SAVEPOINT takes all of it back through MVCC, the
 * session's event included; a lost answer to COMMIT is what idempotency keys
 * are for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "catalog/controls.h"
#include "catalog/files.h"
#include "catalog/keys.h"
#include "catalog/scope.h"
#include "catalog/tables.h"
#include "deltatx.h"
#include "mirror/mirror.h"
#include "txn/backlog.h"
#include "txn/commit.h"
#include "txn/describe.h"
#include "txn/fingerprint.h"
#include "txn/isolation.h"
#include "txn/limits.h"
#include "txn/participants.h"
#include "txn/stamp.h"
#include "txn/uuid7.h"

/* Log that isn't flushed yet and is worth a flush of its own, in bytes. */
#define FLUSH_AHEAD	(256 * 1024)

typedef struct Commit
{
	Participants *participants;
	NewTransaction new_transaction;
	NewVersion *versions;		/* of the written ones */
} Commit;

static void flush_ahead(void);
static void build(Commit *commit);
static void build_version(Commit *commit, Participation *table, NewVersion *version);
static int64 remove_files(Participation *table, const TableShape *shape, int64 *bytes);
static int64 remove_implied(Participation *table, const TableShape *shape, int32 first_ord,
							int64 *bytes);
static PartitionFilter *filter_of(const StageCall *sum, const TableShape *shape);
static void advance_head(Participation *table, const NewVersion *version, int64 gone,
						 int64 bytes_gone, DeltaTimestamp stamp);
static const TableShape *shape_of(const Participation *table);
static void insert(Commit *commit);
static void finish_keys(const OpenTransaction *transaction);
static void write_controls(const Commit *commit, const Participation *table);
static VersionRow *rows_of(const Commit *commit, MemoryContext context);
static int	by_name(const void *a, const void *b);
static int	replay(OpenTransaction *transaction, VersionRow **rows);
static void refuse_other_content(const OpenTransaction *transaction);

int
deltatx_commit_transaction(VersionRow **rows, bool *replayed)
{
	OpenTransaction *transaction = deltatx_session_require("deltatx_commit");
	MemoryContext result_context = CurrentMemoryContext;
	CatalogScope scope;
	Participants *participants;
	Commit		commit = {0};
	int			n;

	*replayed = transaction->replayed;
	if (transaction->replayed)
		return replay(transaction, rows);

	deltatx_backlog_heed(transaction);
	flush_ahead();

	deltatx_scope_enter(&scope);
	participants = deltatx_participants_of(transaction);
	deltatx_participants_lock(participants, HEAD_WRITE, HEAD_READ);
	deltatx_participants_validate(participants);

	commit.participants = participants;
	commit.new_transaction.user_name = GetUserNameFromId(scope.user, false);
	if (participants->n_written > 0)
	{
		build(&commit);
		insert(&commit);
	}
	finish_keys(transaction);
	n = participants->n_written;
	*rows = rows_of(&commit, result_context);
	deltatx_scope_leave(&scope);

	/* A worker that is not to publish would only wake to fall asleep again. */
	if (n > 0 && deltatx_mirror_enabled)
		deltatx_mirror_wake_at_commit();
	deltatx_session_log_end();
	return n;
}

/*
 * COMMIT flushes the log before it releases the locks, and what many adds have
 * written takes a while.  So flush that before the locks are taken.
 */
static void
flush_ahead(void)
{
	if (synchronous_commit != SYNCHRONOUS_COMMIT_OFF &&
		XactLastRecEnd > GetFlushRecPtr(NULL) + FLUSH_AHEAD)
		XLogFlush(XactLastRecEnd);
}

void
deltatx_commit_validate(void)
{
	OpenTransaction *transaction = deltatx_session_require("deltatx_validate");
	CatalogScope scope;
	Participants *participants;

	if (transaction->replayed)
		return;
	deltatx_scope_enter(&scope);
	participants = deltatx_participants_of(transaction);
	deltatx_participants_lock(participants, HEAD_NO_LOCK, HEAD_NO_LOCK);
	deltatx_participants_validate(participants);
	deltatx_scope_leave(&scope);
}

void
deltatx_commit_rollback(void)
{
	OpenTransaction *transaction = deltatx_session_current();
	CatalogScope scope;
	ListCell   *cell;

	if (transaction == NULL)
		(void) deltatx_session_require("deltatx_rollback");

	if (!transaction->replayed)
	{
		deltatx_scope_enter(&scope);
		foreach(cell, transaction->tables)
		{
			StageCall  *sum = &((StagedTable *) lfirst(cell))->sum;

			deltatx_files_unstage(sum->table_id, sum->commit_id);
		}
		deltatx_keys_release(transaction->options.role_name, transaction->options.idempotency_key,
							 transaction->options.app_id, transaction->options.app_version);
		deltatx_scope_leave(&scope);
	}
	deltatx_session_log_end();
}

/* Decide what the versions are, and take removed files out of the live sets. */
static void
build(Commit *commit)
{
	NewTransaction *transaction = &commit->new_transaction;
	int64	   *read_ids = palloc(sizeof(int64) * commit->participants->n);
	int64	   *read_versions = palloc(sizeof(int64) * commit->participants->n);
	DeltaTimestamp newest = 0;
	int			written = 0;

	for (int i = 0; i < commit->participants->n; i++)
		newest = Max(newest, commit->participants->tables[i].head.last_stamp);

	transaction->id = commit->participants->transaction->id;
	transaction->stamp = deltatx_stamp_choose(newest);
	transaction->read_table_ids = read_ids;
	transaction->read_versions = read_versions;

	commit->versions = palloc0(sizeof(NewVersion) * commit->participants->n_written);
	for (int i = 0; i < commit->participants->n; i++)
	{
		Participation *table = &commit->participants->tables[i];

		if (table->staged != NULL)
			build_version(commit, table, &commit->versions[written++]);
		else
		{
			read_ids[transaction->n_reads] = table->head.table_id;
			read_versions[transaction->n_reads++] = table->head.current_version;
		}
	}
	transaction->isolation = commit->versions[0].isolation;
}

static void
build_version(Commit *commit, Participation *table, NewVersion *version)
{
	const StageCall *sum = &table->staged->sum;
	const TableShape *shape = shape_of(table);
	int64		bytes_gone;
	int64		gone = remove_files(table, shape, &bytes_gone);

	version->table_id = sum->table_id;
	version->version = table->head.current_version + 1;
	version->commit_id = sum->commit_id;
	version->delta_id = shape->metadata.id;
	version->read_version = table->read_version != NO_VERSION ? table->read_version : sum->seen_version;
	version->isolation = deltatx_isolation_name(deltatx_isolation_of(commit->participants->transaction, shape));
	version->files_added = sum->adds;
	version->files_removed = gone - sum->superseded;
	version->bytes_added = sum->bytes_added;
	version->bytes_removed = bytes_gone - sum->bytes_superseded;
	version->controls = (sum->protocol != NULL) + (sum->metadata != NULL) +
		list_length(sum->txns) + list_length(sum->domains) +
		(commit->participants->transaction->options.app_id != NULL);
	version->is_blind_append = sum->adds > 0 && gone == 0 && table->read_version == NO_VERSION &&
		sum->metadata == NULL && sum->protocol == NULL &&
		(sum->mode == STAGE_ACTIONS || sum->mode == STAGE_APPEND);
	deltatx_describe_version(commit->participants->transaction, table->staged, version);
	advance_head(table, version, gone, bytes_gone, commit->new_transaction.stamp);
}

/* Returns how many files left the live set, renewed ones included. */
static int64
remove_files(Participation *table, const TableShape *shape, int64 *bytes)
{
	const StageCall *sum = &table->staged->sum;
	int64		named = sum->removes + sum->superseded;
	int64		implied;
	int64		implied_bytes = 0;

	if (named > 0 && deltatx_removes_apply(sum->table_id, sum->commit_id) != named)
		elog(ERROR, "table \"%s\": files to remove are not live, and no winner removed them",
			 table->table_name);
	implied = remove_implied(table, shape, sum->next_remove, &implied_bytes);
	*bytes = sum->bytes_removed + implied_bytes;
	return named + implied;
}

/* What the mode removes. */
static int64
remove_implied(Participation *table, const TableShape *shape, int32 first_ord, int64 *bytes)
{
	const StageCall *sum = &table->staged->sum;

	if (sum->mode == STAGE_OVERWRITE_PARTITIONS)
		return deltatx_removes_of_partitions(sum->table_id, sum->commit_id, first_ord, shape, bytes);
	if (sum->mode != STAGE_OVERWRITE)
		return 0;
	if (sum->partition_filter == NULL)
		return deltatx_removes_all(sum->table_id, sum->commit_id, first_ord, bytes);
	return deltatx_removes_matching(sum->table_id, sum->commit_id, first_ord,
									filter_of(sum, shape), bytes);
}

static PartitionFilter *
filter_of(const StageCall *sum, const TableShape *shape)
{
	DocumentPlace place = {DTX_INVALID_ACTION, sum->table_name};
	Datum		filter = DirectFunctionCall1(jsonb_in, CStringGetDatum(sum->partition_filter));

	return deltatx_partition_filter_parse(DatumGetJsonbP(filter), shape, &place);
}

static void
advance_head(Participation *table, const NewVersion *version, int64 gone, int64 bytes_gone,
			 DeltaTimestamp stamp)
{
	const StageCall *sum = &table->staged->sum;
	TableHead  *head = &table->head;

	head->current_version = version->version;
	head->last_stamp = stamp;
	head->num_files += sum->adds - gone;
	head->num_bytes = deltatx_limits_add_bytes(head->num_bytes, sum->bytes_added - bytes_gone,
											   table->table_name);
	if (sum->metadata != NULL)
		head->metadata_version = version->version;
	if (sum->protocol != NULL)
		head->protocol_version = version->version;
	if (sum->metadata != NULL || sum->protocol != NULL)
		head->shape_commit_id = sum->commit_id;
}

/* The shape that the locked head names: no winner has changed it since stage. */
static const TableShape *
shape_of(const Participation *table)
{
	TableRef	ref = {
		.table_id = table->head.table_id,
		.table_name = unconstify(char *, table->table_name),
		.current_version = table->head.current_version,
		.shape_commit_id = table->head.shape_commit_id,
	};

	return deltatx_table_shape(&ref);
}

static void
insert(Commit *commit)
{
	TableHead  *heads = palloc(sizeof(TableHead) * commit->participants->n);

	deltatx_versions_insert(&commit->new_transaction, commit->versions, commit->participants->n_written);
	for (int i = 0; i < commit->participants->n; i++)
	{
		if (commit->participants->tables[i].staged != NULL)
			write_controls(commit, &commit->participants->tables[i]);
		heads[i] = commit->participants->tables[i].head;
	}
	deltatx_heads_bump(heads, commit->participants->n);
}

/* Of a transaction without tables, too: its repetition must not bring any. */
static void
finish_keys(const OpenTransaction *transaction)
{
	const BeginOptions *options = &transaction->options;
	uint8		fingerprint[PG_SHA256_DIGEST_LENGTH];

	if (options->idempotency_key == NULL && options->app_id == NULL)
		return;
	deltatx_fingerprint_of(transaction, fingerprint);
	deltatx_keys_finish(options->role_name, options->idempotency_key, options->app_id,
						options->app_version, fingerprint);
}

static void
write_controls(const Commit *commit, const Participation *table)
{
	const StageCall *sum = &table->staged->sum;
	const BeginOptions *options = &commit->participants->transaction->options;
	int64		version = table->head.current_version;

	if (sum->protocol != NULL)
		deltatx_protocol_insert(sum->table_id, version, sum->protocol);
	if (sum->metadata != NULL)
		deltatx_metadata_insert(sum->table_id, version, sum->metadata);
	deltatx_txns_insert(sum->table_id, version, sum->txns);
	deltatx_domains_insert(sum->table_id, version, sum->domains);
	if (options->app_id != NULL)
	{
		TxnAction	txn = {options->app_id, options->app_version, commit->new_transaction.stamp, NULL};

		deltatx_txns_insert(sum->table_id, version, list_make1(&txn));
	}
}

/* For the caller: by table name, in a context that outlives the scope. */
static VersionRow *
rows_of(const Commit *commit, MemoryContext context)
{
	VersionRow *rows = MemoryContextAlloc(context, sizeof(VersionRow) * Max(1, commit->participants->n_written));
	int			n = 0;

	for (int i = 0; i < commit->participants->n; i++)
	{
		const NewVersion *version = &commit->versions[n];

		if (commit->participants->tables[i].staged == NULL)
			continue;
		rows[n].table_name = MemoryContextStrdup(context, commit->participants->tables[i].table_name);
		rows[n].version = version->version;
		rows[n].files_added = version->files_added;
		rows[n].files_removed = version->files_removed;
		rows[n++].stamp = commit->new_transaction.stamp;
	}
	qsort(rows, n, sizeof(VersionRow), by_name);
	return rows;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const VersionRow *) a)->table_name, ((const VersionRow *) b)->table_name);
}

/* The results of the first attempt, when this one brought the same. */
static int
replay(OpenTransaction *transaction, VersionRow **rows)
{
	MemoryContext result_context = CurrentMemoryContext;
	MemoryContext scope_context;
	CatalogScope scope;
	int			n;

	refuse_other_content(transaction);

	deltatx_scope_enter(&scope);
	scope_context = MemoryContextSwitchTo(result_context);
	n = deltatx_versions_of_transaction(&transaction->replayed_as.transaction_id, rows);
	MemoryContextSwitchTo(scope_context);
	deltatx_scope_leave(&scope);

	deltatx_session_log_end();
	return n;
}

/* A caller that saw deltatx_replayed() and staged nothing is right, too. */
static void
refuse_other_content(const OpenTransaction *transaction)
{
	uint8		fingerprint[PG_SHA256_DIGEST_LENGTH];

	if (transaction->tables == NIL || !transaction->replayed_as.has_fingerprint)
		return;
	deltatx_fingerprint_of(transaction, fingerprint);
	if (memcmp(fingerprint, transaction->replayed_as.fingerprint, sizeof(fingerprint)) == 0)
		return;

	ereport(ERROR,
			(deltatx_condition(DTX_KEY_REUSED, NULL),
			 errmsg("other content was committed under this idempotency key or app_version"),
			 errdetail_internal("transaction=%s",
								deltatx_uuid_text(&transaction->replayed_as.transaction_id)),
			 errhint("Use a key for one piece of work only; to do other work, begin with another key.")));
}
