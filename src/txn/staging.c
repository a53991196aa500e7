/*-------------------------------------------------------------------------
 *
 * staging.c
 *	  Take a document of actions for one table.
 *
 * The document is parsed, checked and taken action by action: file actions
 * become rows (stage_files.c), the few others wait in memory (stage_controls.c).
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

#include "catalog/scope.h"
#include "schema/shape.h"
#include "txn/fingerprint.h"
#include "txn/limits.h"
#include "txn/rights.h"
#include "txn/stage_controls.h"
#include "txn/stage_files.h"
#include "txn/staging.h"

/* The state of one call. */
typedef struct Stager
{
	const StageRequest *request;
	OpenTransaction *transaction;
	StagedTable *before;		/* what earlier calls staged; NULL: nothing */
	TableRef   *table;
	const TableShape *shape;	/* with what this transaction changes of it */
	PartitionFilter *filter;	/* NULL: none */
	HivePathsCheck hive_paths;
	Fingerprint *fingerprint;	/* NULL: nobody will ask for it */
	StageCall	call;
	StageFiles	files;
	MemoryContext call_context;
	int64		files_left;
	int64		actions_left;
} Stager;

static void digest_only(Action *action, void *arg);
static int64 stage_replay(const StageRequest *request, OpenTransaction *transaction);
static void log_replayed(const char *table_name, const uint8 *digest);
static void start(Stager *stager, const StageRequest *request, OpenTransaction *transaction,
				  Oid user);
static void check_request(Stager *stager);
static void check_mode(Stager *stager);
static void check_same_request(Stager *stager);
static void refuse_staged(const char *table_name) pg_attribute_noreturn();
static char *filter_text(const StageRequest *request);
static void start_call(Stager *stager);
static void use_staged_shape(Stager *stager);
static Fingerprint *fingerprint_for(const OpenTransaction *transaction, const StageRequest *request);
static int64 parse(const StageRequest *request, MemoryContext context, ActionSink sink, void *arg);
static void take_action(Action *action, void *arg);
static void take_file(Stager *stager, Action *action, const DocumentPlace *place);
static void take_control(Stager *stager, const Action *action, const DocumentPlace *place);
static void finish(Stager *stager, int64 n);
static void check_shape(Stager *stager);

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
	n = parse(request, stager.files.batch_context, take_action, &stager);
	deltatx_stage_files_finish(&stager.files);
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
	deltatx_fingerprint_of_change(operation, operation_parameters, call.digest);
	deltatx_session_log_stage(&call);
}

void
deltatx_staging_replay_controls(const char *table_name, const char *operation,
								const char *operation_parameters)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	(void) deltatx_session_require("deltatx_alter_table");
	deltatx_fingerprint_of_change(operation, operation_parameters, digest);
	log_replayed(table_name, digest);
}

TableRef *
deltatx_usable_table(const char *table_name, Oid user)
{
	TableRef   *table = deltatx_table_find(table_name);

	if (table == NULL)
		deltatx_rights_refuse_missing(table_name);
	deltatx_rights_require(table->owner_name, user, table_name);
	return table;
}

TableRef *
deltatx_staging_table(const char *table_name, Oid user)
{
	TableRef   *table = deltatx_usable_table(table_name, user);

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

/* Sink of a replay: what is left of an action is its part of the digest. */
static void
digest_only(Action *action, void *arg)
{
	Stager	   *stager = arg;

	deltatx_fingerprint_add(stager->fingerprint, action);
	MemoryContextReset(stager->call_context);
}

/*
 * The work was done before; look at the content only, for commit to tell
 * whether it is the same.  The table may have been dropped since, so its
 * name stands in for its id.
 */
static int64
stage_replay(const StageRequest *request, OpenTransaction *transaction)
{
	Stager		stager = {0};
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	stager.call_context = AllocSetContextCreate(CurrentMemoryContext, "deltatx replayed actions",
												ALLOCSET_DEFAULT_SIZES);
	stager.fingerprint = fingerprint_for(transaction, request);
	(void) parse(request, stager.call_context, digest_only, &stager);
	MemoryContextDelete(stager.call_context);

	deltatx_fingerprint_finish(stager.fingerprint, digest);
	log_replayed(request->table_name, digest);
	return 0;
}

static void
log_replayed(const char *table_name, const uint8 *digest)
{
	StageCall	call = {
		.table_id = -1 - (int64) hash_bytes((const unsigned char *) table_name, strlen(table_name)),
		.table_name = unconstify(char *, table_name),
		.read_version = NO_VERSION,
		.expected_version = NO_VERSION,
	};

	memcpy(call.digest, digest, sizeof(call.digest));
	deltatx_session_log_stage(&call);
}

static void
start(Stager *stager, const StageRequest *request, OpenTransaction *transaction, Oid user)
{
	stager->request = request;
	stager->transaction = transaction;
	stager->table = deltatx_staging_table(request->table_name, user);
	stager->before = deltatx_session_table(transaction, stager->table->table_id);
	stager->shape = deltatx_table_shape(stager->table);
	stager->hive_paths = deltatx_hive_paths;
	use_staged_shape(stager);
	check_request(stager);
	start_call(stager);

	stager->call_context = CurrentMemoryContext;
	deltatx_stage_files_start(&stager->files, &stager->call);
	stager->files_left = deltatx_limits_files_left(stager->before);
	stager->actions_left = deltatx_limits_actions_left(transaction);
	stager->fingerprint = fingerprint_for(transaction, request);
}

static void
check_request(Stager *stager)
{
	const StageRequest *request = stager->request;

	if (stager->before == NULL)
		deltatx_limits_check_tables(list_length(stager->transaction->tables) + 1,
									request->table_name);
	else
		check_same_request(stager);

	if (request->read_version > stager->table->current_version)
		deltatx_rights_refuse_version(request->table_name, request->read_version,
									  stager->table->current_version);
	check_mode(stager);
}

static void
check_mode(Stager *stager)
{
	const StageRequest *request = stager->request;
	DocumentPlace place = {DTX_INVALID_ACTION, request->table_name};
	bool		overwrites = request->mode == STAGE_OVERWRITE ||
		request->mode == STAGE_OVERWRITE_PARTITIONS;

	if (request->partition_filter != NULL && request->mode != STAGE_OVERWRITE)
		deltatx_refuse(&place, "partition_filter", "Use it with mode overwrite.",
					   "partition_filter goes with mode overwrite only");
	if (request->mode == STAGE_OVERWRITE_PARTITIONS && stager->shape->n_partition_columns == 0)
		deltatx_refuse(&place, "mode", "Use mode overwrite.", "the table is not partitioned");
	if (overwrites && stager->shape->append_only)
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
	char	   *filter = filter_text(request);

	if (!request->extend)
		refuse_staged(request->table_name);
	if (sum->terms_open)
		return;
	if (request->mode != sum->mode)
		deltatx_refuse(&place, "mode", "Stage with the same mode, or in one call.",
					   "mode differs from that of the earlier call");
	if (strcmp(filter ? filter : "", sum->partition_filter ? sum->partition_filter : "") != 0)
		deltatx_refuse(&place, "partition_filter", "Stage with the same filter, or in one call.",
					   "partition_filter differs from that of the earlier call");
	if (request->read_version != sum->read_version)
		deltatx_refuse(&place, "read_version", "Stage with the same read_version, or in one call.",
					   "read_version differs from that of the earlier call");
	if (request->expected_version != sum->expected_version)
		deltatx_refuse(&place, "expected_version", "Stage with the same expected_version, or in one call.",
					   "expected_version differs from that of the earlier call");
}

/* NULL when there is none. */
static char *
filter_text(const StageRequest *request)
{
	if (request->partition_filter == NULL)
		return NULL;
	return JsonbToCString(NULL, &request->partition_filter->root,
						  VARSIZE(request->partition_filter));
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
	call->partition_filter = filter_text(request);

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
fingerprint_for(const OpenTransaction *transaction, const StageRequest *request)
{
	if (transaction->options.idempotency_key == NULL && transaction->options.app_id == NULL)
		return NULL;
	return deltatx_fingerprint_start(request->mode, filter_text(request));
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
	DocumentPlace place = {DTX_INVALID_ACTION, stager->table->table_name, action->position,
	deltatx_action_name(action->kind)};

	CHECK_FOR_INTERRUPTS();
	if (stager->actions_left-- == 0)
		deltatx_limits_refuse_actions(stager->table->table_name);
	deltatx_action_validate(action, stager->shape, &stager->hive_paths, &place);
	if (stager->fingerprint != NULL)
		deltatx_fingerprint_add(stager->fingerprint, action);

	if (action->kind == ACTION_ADD || action->kind == ACTION_REMOVE)
		take_file(stager, action, &place);
	else
		take_control(stager, action, &place);
}

static void
take_file(Stager *stager, Action *action, const DocumentPlace *place)
{
	const FileAction *file = &action->u.file;

	if (action->kind == ACTION_REMOVE && stager->request->mode == STAGE_APPEND)
		deltatx_refuse(place, NULL, "Use mode actions.", "mode append refuses removes");
	if (action->kind == ACTION_ADD && stager->filter != NULL &&
		!deltatx_partition_filter_matches(stager->filter, file->partition_values))
		deltatx_refuse(place, "partitionValues", "Stage it in another transaction, or widen the filter.",
					   "the file lies outside of partition_filter");
	if (stager->files_left-- == 0)
		deltatx_limits_refuse_files(stager->table->table_name);
	deltatx_stage_files_take(&stager->files, action);
}

static void
take_control(Stager *stager, const Action *action, const DocumentPlace *place)
{
	MemoryContext old = MemoryContextSwitchTo(stager->call_context);

	deltatx_stage_controls_take(&stager->call, stager->before, &stager->transaction->options,
								action, place);
	if (action->kind == ACTION_METADATA || action->kind == ACTION_PROTOCOL)
		use_staged_shape(stager);
	MemoryContextSwitchTo(old);
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
	if (stager->before != NULL)
		(void) deltatx_limits_add_bytes(stager->before->sum.bytes_added, call->bytes_added,
										request->table_name);
	call->actions = n;
	if (stager->fingerprint != NULL)
		deltatx_fingerprint_finish(stager->fingerprint, call->digest);
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
		deltatx_shape_check_change(old, stager->shape, stager->table->num_files > 0, &place);
	}
	place.action = NULL;
	if (call->adds > 0)
		deltatx_features_check_enforced(stager->shape, enforced, &place);
}
