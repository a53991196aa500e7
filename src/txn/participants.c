/*-------------------------------------------------------------------------
 *
 * participants.c
 *	  The tables that a transaction writes or has read: lock and validate them.
 *
 * All heads are locked in the order of table_id, so that no two transactions
 * wait for each other in a circle, and before anything is judged: from then on
 * versions stand still.  What is judged is the difference between the table as
 * it was staged or read and as it is now, which is what the versions in
 * between, the winners, have done.  The look-ups here grow with the winners
 * and with what is removed, never with the number of adds.
 *
 * The same checks without the locks are deltatx_validate(): a look ahead that
 * promises nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/controls.h"
#include "catalog/files.h"
#include "conflict/conflict.h"
#include "txn/participants.h"
#include "txn/rights.h"

static Participation *participation_of(Participants *participants, int64 table_id,
									   const char *table_name);
static int	by_table_id(const void *a, const void *b);
static void validate_table(const OpenTransaction *transaction, const Participation *table);
static void validate_files(const Participation *table);
static void validate_application(const OpenTransaction *transaction, const Participation *table);
static void validate_controls(const Participation *table);

Participants *
deltatx_participants_of(OpenTransaction *transaction)
{
	Participants *participants = palloc0(sizeof(Participants));
	ListCell   *cell;

	participants->transaction = transaction;
	participants->tables = palloc0(sizeof(Participation) *
							 Max(1, list_length(transaction->tables) + list_length(transaction->reads)));
	foreach(cell, transaction->tables)
	{
		StagedTable *staged = lfirst(cell);
		Participation *table = participation_of(participants, staged->sum.table_id, staged->sum.table_name);

		table->staged = staged;
		table->read_version = staged->sum.read_version;
		participants->n_written++;
	}
	foreach(cell, transaction->reads)
	{
		DeclaredRead *read = lfirst(cell);
		Participation *table = participation_of(participants, read->table_id, read->table_name);

		if (table->read_version == NO_VERSION || read->version < table->read_version)
			table->read_version = read->version;
	}
	qsort(participants->tables, participants->n, sizeof(Participation), by_table_id);
	return participants;
}

static Participation *
participation_of(Participants *participants, int64 table_id, const char *table_name)
{
	Participation *table;

	for (int i = 0; i < participants->n; i++)
		if (participants->tables[i].head.table_id == table_id)
			return &participants->tables[i];

	table = &participants->tables[participants->n++];
	table->head.table_id = table_id;
	table->table_name = table_name;
	table->read_version = NO_VERSION;
	return table;
}

static int
by_table_id(const void *a, const void *b)
{
	int64		left = ((const Participation *) a)->head.table_id;
	int64		right = ((const Participation *) b)->head.table_id;

	return (left > right) - (left < right);
}

void
deltatx_participants_lock(Participants *participants, HeadLock write, HeadLock read)
{
	TableHead  *heads = palloc(sizeof(TableHead) * Max(1, participants->n));
	int64	   *ids = palloc(sizeof(int64) * Max(1, participants->n));
	char	   *state;
	int64		refused;

	for (int i = 0; i < participants->n; i++)
	{
		heads[i].table_id = ids[i] = participants->tables[i].head.table_id;
		heads[i].lock = participants->tables[i].staged != NULL ? write : read;
	}
	deltatx_heads_lock(heads, participants->n, participants->n == 1 ? participants->tables[0].table_name : NULL);

	for (int i = 0; i < participants->n; i++)
	{
		participants->tables[i].head = heads[i];
		if (!heads[i].found)
			deltatx_rights_refuse_missing(participants->tables[i].table_name);
	}

	refused = deltatx_heads_first_refused(ids, participants->n, &state);
	if (refused >= 0)
		deltatx_rights_refuse_state(participation_of(participants, refused, NULL)->table_name, state);
}

void
deltatx_participants_validate(const Participants *participants)
{
	for (int i = 0; i < participants->n; i++)
		validate_table(participants->transaction, &participants->tables[i]);
}

static void
validate_table(const OpenTransaction *transaction, const Participation *table)
{
	const StageCall *sum = table->staged == NULL ? NULL : &table->staged->sum;
	ConflictInput input = {
		.table_name = table->table_name,
		.writes = sum != NULL,
		.seen_version = sum == NULL ? NO_VERSION : sum->seen_version,
		.expected_version = sum == NULL ? NO_VERSION : sum->expected_version,
		.read_version = table->read_version,
		.current_version = table->head.current_version,
		.metadata_version = table->head.metadata_version,
		.protocol_version = table->head.protocol_version,
	};

	deltatx_conflict_check(&input);
	if (sum == NULL)
		return;

	validate_application(transaction, table);
	if (sum->seen_version < table->head.current_version)
		validate_controls(table);
	validate_files(table);
}

static void
validate_files(const Participation *table)
{
	const StageCall *sum = &table->staged->sum;
	char	   *path;
	int64		winner;

	/* Within a call this was seen at once; further calls may repeat a remove. */
	path = sum->removes == 0 ? NULL : deltatx_removes_first_twice(sum->commit_id);
	if (path != NULL)
		deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table->table_name}, "path",
					   "Stage each remove once.", "file \"%s\" is removed twice", path);

	if (sum->seen_version == table->head.current_version)
		return;
	path = sum->removes + sum->superseded == 0 ? NULL :
		deltatx_removes_first_gone(sum->table_id, sum->commit_id, sum->seen_version, &winner);
	if (path != NULL)
		deltatx_conflict_refuse_deleted(table->table_name, path, winner);
	path = sum->adds == 0 ? NULL :
		deltatx_adds_first_duplicate(sum->table_id, sum->commit_id, sum->seen_version);
	if (path != NULL)
		deltatx_conflict_refuse_added(table->table_name, path);
}

/* The application version of deltatx_begin, against what the table itself records. */
static void
validate_application(const OpenTransaction *transaction, const Participation *table)
{
	const BeginOptions *options = &transaction->options;
	int64		version;
	int64		newest;

	if (options->app_id == NULL)
		return;
	newest = deltatx_txn_newest(table->head.table_id, options->app_id, &version);
	if (newest >= 0 && version > table->staged->sum.seen_version)
		deltatx_conflict_refuse_application(table->table_name, options->app_id, version);
	if (newest >= options->app_version)
		ereport(ERROR,
				(deltatx_condition(DTX_KEY_REUSED, table->table_name),
				 errmsg("table \"%s\" is past version " INT64_FORMAT " of application \"%s\"",
						table->table_name, options->app_version, options->app_id),
				 errdetail_internal("app_version=" INT64_FORMAT " actual=" INT64_FORMAT,
									options->app_version, newest),
				 errhint("Part of this work was committed under the same app_id by another transaction or role; deltatx_app_version() tells how far each table is.")));
}

/* txn and domainMetadata actions, against the winners' ones. */
static void
validate_controls(const Participation *table)
{
	const StageCall *sum = &table->staged->sum;
	ListCell   *cell;

	foreach(cell, sum->txns)
	{
		TxnAction  *txn = lfirst(cell);
		int64		version;

		if (deltatx_txn_newest(sum->table_id, txn->app_id, &version) >= 0 &&
			version > sum->seen_version)
			deltatx_conflict_refuse_application(table->table_name, txn->app_id, version);
	}
	foreach(cell, sum->domains)
	{
		DomainAction *domain = lfirst(cell);
		int64		version = deltatx_domain_newest(sum->table_id, domain->domain);

		if (version > sum->seen_version)
			deltatx_conflict_refuse_domain(table->table_name, domain->domain, version);
	}
}
