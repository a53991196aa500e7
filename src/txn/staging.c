/*-------------------------------------------------------------------------
 *
 * staging.c
 *	  Take a document of actions for one table.
 *
 * The document is parsed action by action.  File actions gather in batches
 * that are checked against the live set and inserted; the few others wait in
 * memory.  Memory is bounded by a batch, whatever the number of files: the
 * documents of a transaction may hold a million.
 *
 * What makes a set of actions legal can be known only at the end of the call,
 * since a remove may follow the add that needs it: an add of a path that is
 * live is legal when the same call removes the old file and the deletion
 * vectors differ, or when it renews the very file (statistics or tags) without
 * a change of data.  Such adds are remembered until then.
 *
 * Nothing is logged in the session before all of this has succeeded.  When it
 * fails and the caller catches the error, MVCC takes the rows away and the
 * session never heard of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "catalog/files.h"
#include "catalog/scope.h"
#include "schema/shape.h"
#include "txn/fingerprint.h"
#include "txn/limits.h"
#include "txn/rights.h"
#include "txn/staging.h"

/* An add whose path is live already. */
typedef struct Renewal
{
	int64		position;
	char	   *path;
	char	   *dv_id;			/* NULL: none */
	bool		data_change;
	LiveMatch	live;
} Renewal;

/* Hash entry: a file that this call removes. */
typedef struct RemovedFile
{
	struct
	{
		int64		commit_id;
		int64		ord;
	}			key;
} RemovedFile;

/* The state of one call. */
typedef struct Stager
{
	const StageRequest *request;
	OpenTransaction *transaction;
	StagedTable *before;		/* what earlier calls staged; NULL: nothing */
	TableRef   *table;
	const TableShape *shape;	/* with what this transaction changes of it */
	PartitionFilter *filter;	/* NULL: none */
	Fingerprint *fingerprint;	/* NULL: nobody will ask for it */
	StageCall	call;
	int64		files_left;
	int64		actions_left;
	bool		has_adds;
	FileBatch  *adds;
	FileBatch  *removes;
	MemoryContext batch_context;	/* the actions in the two batches */
	MemoryContext call_context; /* all else */
	List	   *renewals;		/* of Renewal * */
	HTAB	   *removed;		/* of RemovedFile; NULL: none */
} Stager;

static int64 stage_replay(const StageRequest *request, OpenTransaction *transaction);
static void start(Stager *stager, const StageRequest *request, OpenTransaction *transaction,
				  Oid user);
static void check_request(Stager *stager);
static void refuse_staged(const char *table_name) pg_attribute_noreturn();
static void check_same_request(Stager *stager);
static void start_call(Stager *stager);
static void use_staged_shape(Stager *stager);
static Fingerprint *fingerprint_for(const OpenTransaction *transaction, const StageRequest *request,
									const char *filter);
static int64 parse(const StageRequest *request, MemoryContext context, ActionSink sink, void *arg);
static void take_action(Action *action, void *arg);
static void take_add(Stager *stager, Action *action, const DocumentPlace *place);
static void take_remove(Stager *stager, Action *action, const DocumentPlace *place);
static void take_metadata(Stager *stager, Action *action, const DocumentPlace *place);
static void take_protocol(Stager *stager, Action *action, const DocumentPlace *place);
static void take_txn(Stager *stager, Action *action, const DocumentPlace *place);
static void take_domain(Stager *stager, Action *action, const DocumentPlace *place);
static void take_commit_info(Stager *stager, const Action *action);
static void count_file(Stager *stager, const FileAction *file);
static void batch_file(FileBatch *batch, Action *action);
static void flush(Stager *stager);
static void flush_adds(Stager *stager);
static void refuse_twins(Stager *stager, const FileBatch *batch);
static void note_live(Stager *stager, const LiveMatch *match);
static void flush_removes(Stager *stager);
static void note_removed(Stager *stager, const LiveMatch *match, const DocumentPlace *place);
static void settle_renewals(Stager *stager);
static void finish(Stager *stager, int64 n);
static void check_shape(Stager *stager);
static void refuse_duplicate(Stager *stager, int64 position, const char *path,
							 const char *hint) pg_attribute_noreturn();
static DocumentPlace place_of(const Stager *stager, int64 position, ActionKind kind);

int64
deltatx_staging_stage(const StageRequest *request)
{
	OpenTransaction *transaction = deltatx_session_require("deltatx_stage");
	CatalogScope scope;
	Stager		stager = {0};
	int64		n;

	if (transaction->replayed)
		return stage_replay(request, transaction);

	deltatx_scope_enter(&scope);
	start(&stager, request, transaction, scope.user);
	n = parse(request, stager.batch_context, take_action, &stager);
	flush(&stager);
	settle_renewals(&stager);
	finish(&stager, n);
	deltatx_session_log_stage(&stager.call);
	deltatx_scope_leave(&scope);
	return n;
}

void
deltatx_staging_stage_controls(const TableRef *table, MetadataAction *metadata,
							   ProtocolAction *protocol, const char *operation,
							   const char *operation_parameters)
{
	OpenTransaction *transaction = deltatx_session_require("deltatx_alter_table");
	StageCall	call = {0};

	if (deltatx_session_table(transaction, table->table_id) != NULL)
		refuse_staged(table->table_name);
	deltatx_limits_check_tables(list_length(transaction->tables) + 1, table->table_name);

	call.table_id = table->table_id;
	call.table_name = table->table_name;
	call.commit_id = deltatx_next_commit_id();
	call.terms_open = true;
	call.read_version = NO_VERSION;
	call.expected_version = NO_VERSION;
	call.seen_version = table->current_version;
	call.actions = (metadata != NULL) + (protocol != NULL);
	call.metadata = metadata;
	call.protocol = protocol;
	call.info.operation = unconstify(char *, operation);
	call.info.operation_parameters = unconstify(char *, operation_parameters);
	deltatx_session_log_stage(&call);
}

TableRef *
deltatx_staging_table(const char *table_name, Oid user)
{
	TableRef   *table = deltatx_table_find(table_name, false);

	if (table == NULL)
		deltatx_rights_refuse_missing(table_name);
	deltatx_rights_require(table->owner_name, user, table_name);
	deltatx_rights_refuse_state(table_name, table->mirror_state);
	return table;
}

StageMode
deltatx_stage_mode(const char *name, const char *table_name)
{
	static const char *const names[] = {
		[STAGE_ACTIONS] = "actions",
		[STAGE_APPEND] = "append",
		[STAGE_OVERWRITE] = "overwrite",
		[STAGE_OVERWRITE_PARTITIONS] = "overwrite_partitions",
	};

	for (int mode = 0; mode < lengthof(names); mode++)
		if (strcmp(name, names[mode]) == 0)
			return mode;

	deltatx_refuse(&(DocumentPlace) {DTX_INVALID_ACTION, table_name}, "mode",
				   "Use actions, append, overwrite or overwrite_partitions.",
				   "unknown mode \"%s\"", name);
}

/*
 * The work was done before; look at the content only, for commit to tell
 * whether it is the same.  The table may have been dropped since, so its
 * name stands in for its id.
 */
static void
digest_only(Action *action, void *arg)
{
	Stager	   *stager = arg;

	if (stager->fingerprint != NULL)
		deltatx_fingerprint_add(stager->fingerprint, action);
	MemoryContextReset(stager->batch_context);
}

static int64
stage_replay(const StageRequest *request, OpenTransaction *transaction)
{
	Stager		stager = {0};
	char	   *filter = request->partition_filter == NULL ? NULL :
		JsonbToCString(NULL, &request->partition_filter->root, VARSIZE(request->partition_filter));

	stager.batch_context = AllocSetContextCreate(CurrentMemoryContext, "deltatx stage batch",
												 ALLOCSET_DEFAULT_SIZES);
	stager.fingerprint = fingerprint_for(transaction, request, filter);
	(void) parse(request, stager.batch_context, digest_only, &stager);

	stager.call.table_id = -1 - (int64) hash_bytes((const unsigned char *) request->table_name,
																strlen(request->table_name));
	stager.call.table_name = unconstify(char *, request->table_name);
	stager.call.read_version = NO_VERSION;
	stager.call.expected_version = NO_VERSION;
	deltatx_fingerprint_finish(stager.fingerprint, stager.call.digest);
	MemoryContextDelete(stager.batch_context);
	deltatx_session_log_stage(&stager.call);
	return 0;
}

static void
start(Stager *stager, const StageRequest *request, OpenTransaction *transaction, Oid user)
{
	stager->request = request;
	stager->transaction = transaction;
	stager->table = deltatx_staging_table(request->table_name, user);
	stager->before = deltatx_session_table(transaction, stager->table->table_id);
	stager->shape = deltatx_table_shape(stager->table);
	use_staged_shape(stager);
	check_request(stager);
	start_call(stager);

	stager->call_context = CurrentMemoryContext;
	stager->batch_context = AllocSetContextCreate(CurrentMemoryContext, "deltatx stage batch",
												  ALLOCSET_DEFAULT_SIZES);
	stager->files_left = deltatx_limits_files_left(stager->before);
	stager->actions_left = deltatx_limits_actions_left(transaction);
	stager->fingerprint = fingerprint_for(transaction, request, stager->call.partition_filter);
}

static void
check_request(Stager *stager)
{
	const StageRequest *request = stager->request;
	DocumentPlace place = {DTX_INVALID_ACTION, request->table_name};

	if (stager->before == NULL)
		deltatx_limits_check_tables(list_length(stager->transaction->tables) + 1,
									request->table_name);
	else
		check_same_request(stager);

	if (request->read_version > stager->table->current_version)
		deltatx_rights_refuse_version(request->table_name, request->read_version,
									  stager->table->current_version);
	if (request->partition_filter != NULL && request->mode != STAGE_OVERWRITE)
		deltatx_refuse(&place, "partition_filter", "Use it with mode overwrite.",
					   "partition_filter goes with mode overwrite only");
	if (request->mode == STAGE_OVERWRITE_PARTITIONS && stager->shape->n_partition_columns == 0)
		deltatx_refuse(&place, "mode", "Use mode overwrite.", "the table is not partitioned");
	if (stager->shape->append_only &&
		(request->mode == STAGE_OVERWRITE || request->mode == STAGE_OVERWRITE_PARTITIONS))
		deltatx_refuse(&place, "mode", "Unset delta.appendOnly first if rows may go.",
					   "the table is append-only");
	if (request->partition_filter != NULL)
		stager->filter = deltatx_partition_filter_parse(request->partition_filter,
														stager->shape, &place);
}

static void
refuse_staged(const char *table_name)
{
	ereport(ERROR,
			(deltatx_condition(DTX_ALREADY_STAGED, table_name),
			 errmsg("table \"%s\" is already staged in this transaction", table_name),
			 errhint("Pass extend => true to deltatx_stage() to add to what is staged.")));
}

/* A further call for a table must say what the first one said. */
static void
check_same_request(Stager *stager)
{
	const StageRequest *request = stager->request;
	const StageCall *sum = &stager->before->sum;
	DocumentPlace place = {DTX_INVALID_ACTION, request->table_name};
	char	   *filter = request->partition_filter == NULL ? "" :
		JsonbToCString(NULL, &request->partition_filter->root, VARSIZE(request->partition_filter));

	if (!request->extend)
		refuse_staged(request->table_name);
	if (sum->terms_open)
		return;
	if (request->mode != sum->mode)
		deltatx_refuse(&place, "mode", "Stage with the same mode, or in one call.",
					   "mode differs from that of the earlier call");
	if (strcmp(filter, sum->partition_filter == NULL ? "" : sum->partition_filter) != 0)
		deltatx_refuse(&place, "partition_filter", "Stage with the same filter, or in one call.",
					   "partition_filter differs from that of the earlier call");
	if (request->read_version != sum->read_version)
		deltatx_refuse(&place, "read_version", "Stage with the same read_version, or in one call.",
					   "read_version differs from that of the earlier call");
	if (request->expected_version != sum->expected_version)
		deltatx_refuse(&place, "expected_version", "Stage with the same expected_version, or in one call.",
					   "expected_version differs from that of the earlier call");
}

static void
start_call(Stager *stager)
{
	const StageRequest *request = stager->request;
	StageCall  *call = &stager->call;

	call->table_id = stager->table->table_id;
	call->table_name = stager->table->table_name;
	call->mode = request->mode;
	call->read_version = request->read_version;
	call->expected_version = request->expected_version;
	call->seen_version = stager->table->current_version;
	call->enforced = request->enforced;
	call->info.operation = request->operation;
	call->info.operation_parameters = request->operation_parameters;
	if (request->partition_filter != NULL)
		call->partition_filter = JsonbToCString(NULL, &request->partition_filter->root,
												VARSIZE(request->partition_filter));

	if (stager->before != NULL)
	{
		call->commit_id = stager->before->sum.commit_id;
		call->next_add = stager->before->sum.next_add;
		call->next_remove = stager->before->sum.next_remove;
	}
	else
		call->commit_id = deltatx_next_commit_id();
}

/* An earlier call, or an action of this one, may have changed the shape. */
static void
use_staged_shape(Stager *stager)
{
	const StageCall *earlier = stager->before == NULL ? NULL : &stager->before->sum;
	MetadataAction *metadata = stager->call.metadata;
	ProtocolAction *protocol = stager->call.protocol;

	if (metadata == NULL && earlier != NULL)
		metadata = earlier->metadata;
	if (protocol == NULL && earlier != NULL)
		protocol = earlier->protocol;
	if (metadata == NULL && protocol == NULL)
		return;

	stager->shape = deltatx_shape_build(metadata ? metadata : &stager->shape->metadata,
										protocol ? protocol : &stager->shape->protocol,
										&(DocumentPlace) {DTX_INVALID_ACTION, stager->table->table_name});
}

static Fingerprint *
fingerprint_for(const OpenTransaction *transaction, const StageRequest *request, const char *filter)
{
	if (transaction->options.idempotency_key == NULL && transaction->options.app_id == NULL)
		return NULL;
	return deltatx_fingerprint_start(request->mode, filter);
}

static int64
parse(const StageRequest *request, MemoryContext context, ActionSink sink, void *arg)
{
	if (request->jsonb != NULL)
		return deltatx_action_parse_jsonb(request->jsonb, request->table_name, context, sink, arg);
	return deltatx_action_parse_text(request->text, request->text_length, request->table_name,
									 context, sink, arg);
}

static void
take_action(Action *action, void *arg)
{
	Stager	   *stager = arg;
	DocumentPlace place = place_of(stager, action->position, action->kind);

	CHECK_FOR_INTERRUPTS();
	if (stager->actions_left-- == 0)
		deltatx_limits_refuse_actions(stager->table->table_name);
	deltatx_action_validate(action, stager->shape, deltatx_hive_paths, &place);
	if (stager->fingerprint != NULL)
		deltatx_fingerprint_add(stager->fingerprint, action);

	switch (action->kind)
	{
		case ACTION_ADD:
			take_add(stager, action, &place);
			return;				/* its batch owns the action */
		case ACTION_REMOVE:
			take_remove(stager, action, &place);
			return;
		case ACTION_CDC:
			elog(ERROR, "cdc action passed validation");
			break;
		case ACTION_METADATA:
			take_metadata(stager, action, &place);
			break;
		case ACTION_PROTOCOL:
			take_protocol(stager, action, &place);
			break;
		case ACTION_TXN:
			take_txn(stager, action, &place);
			break;
		case ACTION_DOMAIN:
			take_domain(stager, action, &place);
			break;
		case ACTION_COMMIT_INFO:
			take_commit_info(stager, action);
			break;
	}
}

static void
take_add(Stager *stager, Action *action, const DocumentPlace *place)
{
	if (stager->filter != NULL &&
		!deltatx_partition_filter_matches(stager->filter, action->u.file.partition_values))
		deltatx_refuse(place, "partitionValues", "Stage it in another transaction, or widen the filter.",
					   "the file lies outside of partition_filter");

	count_file(stager, &action->u.file);
	stager->call.adds++;
	stager->call.bytes_added += action->u.file.size;
	batch_file(stager->adds, action);
	if (stager->adds->n == FILE_BATCH_ROWS)
		flush(stager);
}

static void
take_remove(Stager *stager, Action *action, const DocumentPlace *place)
{
	if (stager->request->mode == STAGE_APPEND)
		deltatx_refuse(place, NULL, "Use mode actions.", "mode append refuses removes");

	count_file(stager, &action->u.file);
	stager->call.removes++;
	batch_file(stager->removes, action);
	if (stager->removes->n == FILE_BATCH_ROWS)
		flush(stager);
}

static void
take_metadata(Stager *stager, Action *action, const DocumentPlace *place)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);

	if (stager->call.metadata != NULL || (stager->before != NULL && stager->before->sum.metadata != NULL))
		deltatx_refuse(place, NULL, NULL, "a commit holds at most one metaData");
	stager->call.metadata = deltatx_metadata_copy(&action->u.metadata);
	use_staged_shape(stager);
	MemoryContextSwitchTo(old);
}

static void
take_protocol(Stager *stager, Action *action, const DocumentPlace *place)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);

	if (stager->call.protocol != NULL || (stager->before != NULL && stager->before->sum.protocol != NULL))
		deltatx_refuse(place, NULL, NULL, "a commit holds at most one protocol");
	stager->call.protocol = deltatx_protocol_copy(&action->u.protocol);
	use_staged_shape(stager);
	MemoryContextSwitchTo(old);
}

static void
take_txn(Stager *stager, Action *action, const DocumentPlace *place)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);
	List	   *earlier = stager->before == NULL ? NIL : stager->before->sum.txns;
	TxnAction  *txn = palloc(sizeof(TxnAction));
	ListCell   *cell;

	*txn = action->u.txn;
	txn->app_id = pstrdup(txn->app_id);
	txn->extra = txn->extra == NULL ? NULL : pstrdup(txn->extra);

	foreach(cell, list_concat_copy(earlier, stager->call.txns))
		if (strcmp(((TxnAction *) lfirst(cell))->app_id, txn->app_id) == 0)
			deltatx_refuse(place, "appId", NULL, "a commit holds at most one txn of an appId");
	if (stager->transaction->options.app_id != NULL &&
		strcmp(stager->transaction->options.app_id, txn->app_id) == 0)
		deltatx_refuse(place, "appId", "Leave it out: deltatx_begin() was given this app_id.",
					   "the txn of this appId is written by deltatx");
	stager->call.txns = lappend(stager->call.txns, txn);
	MemoryContextSwitchTo(old);
}

static void
take_domain(Stager *stager, Action *action, const DocumentPlace *place)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);
	List	   *earlier = stager->before == NULL ? NIL : stager->before->sum.domains;
	DomainAction *domain = palloc(sizeof(DomainAction));
	ListCell   *cell;

	*domain = action->u.domain;
	domain->domain = pstrdup(domain->domain);
	domain->configuration = pstrdup(domain->configuration);
	domain->extra = domain->extra == NULL ? NULL : pstrdup(domain->extra);

	foreach(cell, list_concat_copy(earlier, stager->call.domains))
		if (strcmp(((DomainAction *) lfirst(cell))->domain, domain->domain) == 0)
			deltatx_refuse(place, "domain", NULL, "a commit holds at most one domainMetadata of a domain");
	stager->call.domains = lappend(stager->call.domains, domain);
	MemoryContextSwitchTo(old);
}

/* Arguments of the call come before what the document says. */
static void
take_commit_info(Stager *stager, const Action *action)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);
	const CommitInfoAction *given = &action->u.info;
	CommitInfoAction *info = &stager->call.info;

	if (info->operation == NULL && given->operation != NULL)
		info->operation = pstrdup(given->operation);
	if (info->operation_parameters == NULL && given->operation_parameters != NULL)
		info->operation_parameters = pstrdup(given->operation_parameters);
	if (given->operation_metrics != NULL)
		info->operation_metrics = pstrdup(given->operation_metrics);
	if (given->user_metadata != NULL)
		info->user_metadata = pstrdup(given->user_metadata);
	if (given->tags != NULL)
		info->tags = pstrdup(given->tags);
	MemoryContextSwitchTo(old);
}

static void
count_file(Stager *stager, const FileAction *file)
{
	if (stager->files_left-- == 0)
		deltatx_limits_refuse_files(stager->table->table_name);
	stager->call.changes_data |= file->data_change;

	if (stager->adds == NULL)
	{
		stager->adds = MemoryContextAllocZero(stager->call_context, sizeof(FileBatch));
		stager->removes = MemoryContextAllocZero(stager->call_context, sizeof(FileBatch));
		stager->adds->table_id = stager->removes->table_id = stager->call.table_id;
		stager->adds->commit_id = stager->removes->commit_id = stager->call.commit_id;
	}
}

static void
batch_file(FileBatch *batch, Action *action)
{
	batch->actions[batch->n] = &action->u.file;
	batch->positions[batch->n] = action->position;
	batch->n++;
}

/* Both batches at once, since they share the memory of their actions. */
static void
flush(Stager *stager)
{
	MemoryContext old;

	if (stager->adds == NULL)
		return;
	old = MemoryContextSwitchTo(stager->batch_context);
	flush_adds(stager);
	flush_removes(stager);
	stager->adds->n = stager->removes->n = 0;
	MemoryContextSwitchTo(old);
	MemoryContextReset(stager->batch_context);
}

static void
flush_adds(Stager *stager)
{
	FileBatch  *batch = stager->adds;
	LiveMatch  *matches;
	int			n;

	if (batch->n == 0)
		return;
	refuse_twins(stager, batch);
	n = deltatx_files_match(batch, &matches);
	for (int i = 0; i < n; i++)
		note_live(stager, &matches[i]);

	batch->first_ord = stager->call.next_add;
	deltatx_adds_insert(batch);
	stager->call.next_add += batch->n;
}

/* Two adds of one path within a batch; those of other batches are rows by now. */
static int
by_path(const void *a, const void *b)
{
	const FileAction *left = *(FileAction *const *) a;
	const FileAction *right = *(FileAction *const *) b;

	return strcmp(left->path, right->path);
}

static void
refuse_twins(Stager *stager, const FileBatch *batch)
{
	FileAction **sorted = palloc(sizeof(FileAction *) * batch->n);

	memcpy(sorted, batch->actions, sizeof(FileAction *) * batch->n);
	qsort(sorted, batch->n, sizeof(FileAction *), by_path);
	for (int i = 1; i < batch->n; i++)
	{
		int			last = batch->n - 1;

		if (strcmp(sorted[i - 1]->path, sorted[i]->path) != 0)
			continue;
		while (strcmp(batch->actions[last]->path, sorted[i]->path) != 0)
			last--;
		refuse_duplicate(stager, batch->positions[last], sorted[i]->path,
						 "A commit adds a path at most once.");
	}
	pfree(sorted);
}

/* An add whose path is in the live set, or staged to join it. */
static void
note_live(Stager *stager, const LiveMatch *match)
{
	const FileAction *add = stager->adds->actions[match->index];
	int64		position = stager->adds->positions[match->index];
	MemoryContext old;
	Renewal    *renewal;

	if (match->commit_id == stager->call.commit_id)
		refuse_duplicate(stager, position, add->path, "A commit adds a path at most once.");

	old = MemoryContextSwitchTo(stager->call_context);
	renewal = palloc(sizeof(Renewal));
	renewal->position = position;
	renewal->path = pstrdup(add->path);
	renewal->dv_id = add->dv_id == NULL ? NULL : pstrdup(add->dv_id);
	renewal->data_change = add->data_change;
	renewal->live = *match;
	renewal->live.dv_id = match->dv_id == NULL ? NULL : pstrdup(match->dv_id);
	stager->renewals = lappend(stager->renewals, renewal);
	MemoryContextSwitchTo(old);
}

static void
flush_removes(Stager *stager)
{
	FileBatch  *batch = stager->removes;
	LiveMatch  *matches;
	LiveMatch  *files;
	int			n;

	if (batch->n == 0)
		return;
	files = palloc0(sizeof(LiveMatch) * batch->n);
	n = deltatx_files_match(batch, &matches);
	for (int i = 0; i < n; i++)
		if (matches[i].commit_id != stager->call.commit_id)
			files[matches[i].index] = matches[i];

	for (int i = 0; i < batch->n; i++)
	{
		DocumentPlace place = place_of(stager, batch->positions[i], ACTION_REMOVE);
		const char *given = batch->actions[i]->dv_id;

		if (files[i].commit_id == 0)
			ereport(ERROR,
					(deltatx_condition(DTX_FILE_NOT_FOUND, place.table_name),
					 errmsg("action " INT64_FORMAT " (remove) of table \"%s\": file \"%s\" is not live",
							place.position, place.table_name, batch->actions[i]->path),
					 errdetail_internal("action=" INT64_FORMAT " kind=remove field=path", place.position),
					 errhint("The path must be byte for byte that of the add, as deltatx_files() shows it.")));
		if (strcmp(given ? given : "", files[i].dv_id ? files[i].dv_id : "") != 0)
			deltatx_refuse(&place, "deletionVector", "Name the deletion vector that deltatx_files() shows.",
						   "the live file has another deletion vector");
		note_removed(stager, &files[i], &place);
		stager->call.bytes_removed += files[i].size;
	}

	deltatx_removes_insert(stager->call.commit_id, stager->call.next_remove, files,
						   batch->actions, batch->n, false);
	stager->call.next_remove += batch->n;
}

static void
note_removed(Stager *stager, const LiveMatch *match, const DocumentPlace *place)
{
	RemovedFile entry = {{match->commit_id, match->ord}};
	bool		found;

	if (stager->removed == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(entry.key), .entrysize = sizeof(RemovedFile)};

		control.hcxt = stager->call_context;
		stager->removed = hash_create("deltatx removed files", 1024, &control,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	(void) hash_search(stager->removed, &entry.key, HASH_ENTER, &found);
	if (found)
		deltatx_refuse(place, "path", NULL, "a commit removes a file at most once");
}

/* Judge the adds of live paths, now that all removes are known. */
static void
settle_renewals(Stager *stager)
{
	ListCell   *cell;

	foreach(cell, stager->renewals)
	{
		Renewal    *renewal = lfirst(cell);
		RemovedFile entry = {{renewal->live.commit_id, renewal->live.ord}};
		bool		removed = stager->removed != NULL &&
			hash_search(stager->removed, &entry.key, HASH_FIND, NULL) != NULL;
		bool		same_file = strcmp(renewal->dv_id ? renewal->dv_id : "",
									   renewal->live.dv_id ? renewal->live.dv_id : "") == 0;

		if (removed && !same_file)
			continue;
		if (removed || !same_file || renewal->data_change ||
			stager->request->mode == STAGE_OVERWRITE ||
			stager->request->mode == STAGE_OVERWRITE_PARTITIONS)
			refuse_duplicate(stager, renewal->position, renewal->path,
							 "Give a new file a new path; to change a file's deletion vector, remove it and add it with the new one in the same call.");

		deltatx_removes_insert(stager->call.commit_id, stager->call.next_remove++,
							   &renewal->live, NULL, 1, true);
		stager->call.superseded++;
		stager->call.bytes_removed += renewal->live.size;
	}
}

static void
finish(Stager *stager, int64 n)
{
	const StageRequest *request = stager->request;
	StageCall  *call = &stager->call;
	bool		empty = call->adds + call->removes == 0 && call->metadata == NULL &&
		call->protocol == NULL && call->txns == NIL && call->domains == NIL;

	if (empty && request->mode != STAGE_OVERWRITE)
		ereport(ERROR,
				(deltatx_condition(DTX_EMPTY_ACTION_LIST, request->table_name),
				 errmsg("no actions for table \"%s\"", request->table_name),
				 errhint("Only mode overwrite may stage nothing: it then removes all files.")));

	check_shape(stager);
	call->actions = n;
	if (stager->fingerprint != NULL)
		deltatx_fingerprint_finish(stager->fingerprint, call->digest);
	MemoryContextDelete(stager->batch_context);
}

/* What this call changes of the table's shape, and whether its files may be written to it. */
static void
check_shape(Stager *stager)
{
	const TableShape *old = deltatx_table_shape(stager->table);
	StageCall  *call = &stager->call;
	DocumentPlace place = {DTX_INVALID_ACTION, stager->table->table_name};
	List	   *enforced = stager->before == NULL ? call->enforced :
		list_concat_copy(stager->before->sum.enforced, call->enforced);

	if (call->protocol != NULL)
	{
		place.action = deltatx_action_name(ACTION_PROTOCOL);
		deltatx_protocol_check(call->protocol, &place);
		deltatx_protocol_check_change(&old->protocol, call->protocol, &place);
	}
	if (call->metadata != NULL)
	{
		place.action = deltatx_action_name(ACTION_METADATA);
		deltatx_properties_check(call->metadata->configuration, &place);
		deltatx_shape_check_change(old, stager->shape, stager->table->num_files > 0, &place);
	}
	place.action = NULL;
	if (call->adds > 0)
		deltatx_features_check_enforced(stager->shape, enforced, &place);
}

static void
refuse_duplicate(Stager *stager, int64 position, const char *path, const char *hint)
{
	ereport(ERROR,
			(deltatx_condition(DTX_DUPLICATE_FILE, stager->table->table_name),
			 errmsg("action " INT64_FORMAT " (add) of table \"%s\": file \"%s\" is in the table already",
					position, stager->table->table_name, path),
			 errdetail_internal("action=" INT64_FORMAT " kind=add field=path", position),
			 errhint("%s", hint)));
}

static DocumentPlace
place_of(const Stager *stager, int64 position, ActionKind kind)
{
	return (DocumentPlace)
	{
		DTX_INVALID_ACTION, stager->table->table_name, position, deltatx_action_name(kind)
	};
}
