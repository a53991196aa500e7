/*-------------------------------------------------------------------------
 *
 * session.c
 *	  The open deltatx transaction of this session, and how it follows
 *	  PostgreSQL's transactions and savepoints.
 *
 * File actions are rows as soon as they are staged, so MVCC gives them the
 * right fate whatever happens.  What remains in memory is small, and must
 * share that fate: after ROLLBACK TO SAVEPOINT, or when a PL/pgSQL EXCEPTION
 * block catches an error, memory and rows must tell the same story, or a
 * commit would bind rows that are gone or lose rows that are there.
 *
 * Therefore nothing here is ever changed in place.  Each call appends an event
 * (begin, stage, read, end) tagged with the subtransaction that it ran in:
 *
 *	- a subtransaction that commits hands its events to its parent;
 *	- one that aborts drops its own.  An "end" among them (of a commit or
 *	  rollback after the savepoint) reopens the transaction, whose rows MVCC
 *	  has just brought back;
 *	- the end of the PostgreSQL transaction drops all.
 *
 * What is open now is a fold over the events, kept between calls and made
 * anew after events were dropped.  An event has its own memory context, so
 * that a loop of failing subtransactions leaves nothing behind.
 *
 * A transaction that was begun and not ended when PostgreSQL commits is an
 * error that aborts all of it: its rows would stay in the tables with no
 * version to refer to them, and what the caller meant to commit would be lost
 * silently.  The same at PREPARE.
 *
 * The callbacks do nothing that can fail, except for that error, which is
 * raised where PostgreSQL allows it (PRE_COMMIT, PRE_PREPARE).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "catalog/tables.h"
#include "txn/limits.h"
#include "txn/session.h"
#include "txn/uuid7.h"

typedef enum EventKind
{
	EVENT_BEGIN,
	EVENT_STAGE,
	EVENT_READ,
	EVENT_END
} EventKind;

typedef struct Event
{
	EventKind	kind;
	SubTransactionId subid;
	MemoryContext context;		/* holds the event itself */
	union
	{
		struct
		{
			pg_uuid_t	id;
			BeginOptions options;
			TimestampTz at;
			bool		replayed;
			KeyHolder	replayed_as;
		}			begin;
		StageCall	stage;
		DeclaredRead read;
	}			u;
} Event;

/* Both contexts are children of TopTransactionContext; NULL outside. */
static MemoryContext log_context = NULL;
static MemoryContext fold_context = NULL;

static List *events = NIL;		/* of Event *, in log_context */
static OpenTransaction *current = NULL; /* the fold, in fold_context */
static bool current_is_valid = false;

static void xact_callback(XactEvent event, void *arg);
static void subxact_callback(SubXactEvent event, SubTransactionId my_subid,
							 SubTransactionId parent_subid, void *arg);
static void refuse_unfinished(const char *command);
static void forget_everything(void);
static void hand_to_parent(SubTransactionId subid, SubTransactionId parent);
static void drop_events_of(SubTransactionId subid);
static Event *new_event(EventKind kind);
static void append_event(Event *event);
static void fold_event(Event *event);
static void fold_begin(Event *event);
static void fold_stage(const StageCall *call);
static StageCall copy_of_call(const StageCall *call);
static List *copy_strings(const List *strings);
static char *copy_or_null(const char *string);

void
deltatx_session_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

OpenTransaction *
deltatx_session_current(void)
{
	ListCell   *cell;

	if (current_is_valid)
		return current;

	current = NULL;
	if (fold_context != NULL)
		MemoryContextReset(fold_context);
	foreach(cell, events)
		fold_event(lfirst(cell));
	current_is_valid = true;
	return current;
}

OpenTransaction *
deltatx_session_require(const char *function)
{
	OpenTransaction *transaction = deltatx_session_current();

	if (transaction == NULL)
		ereport(ERROR,
				(deltatx_condition(DTX_NO_TRANSACTION, NULL),
				 errmsg("%s() needs an open deltatx transaction", function),
				 errhint("Call deltatx_begin() first, in the same PostgreSQL transaction.")));
	deltatx_limits_check_time(transaction);
	return transaction;
}

StagedTable *
deltatx_session_table(OpenTransaction *transaction, int64 table_id)
{
	ListCell   *cell;

	foreach(cell, transaction->tables)
	{
		StagedTable *table = lfirst(cell);

		if (table->sum.table_id == table_id)
			return table;
	}
	return NULL;
}

int
deltatx_session_staged_commits(int64 **commit_ids)
{
	OpenTransaction *transaction = deltatx_session_current();
	int			n = 0;
	ListCell   *cell;

	if (transaction == NULL)
		return 0;

	*commit_ids = palloc(sizeof(int64) * Max(1, list_length(transaction->tables)));
	foreach(cell, transaction->tables)
		(*commit_ids)[n++] = ((StagedTable *) lfirst(cell))->sum.commit_id;
	return n;
}

void
deltatx_session_log_begin(const pg_uuid_t *id, const BeginOptions *options,
						  const KeyHolder *replayed_as)
{
	Event	   *event = new_event(EVENT_BEGIN);
	MemoryContext old = MemoryContextSwitchTo(event->context);

	event->u.begin.id = *id;
	event->u.begin.options = *options;
	event->u.begin.options.role_name = pstrdup(options->role_name);
	event->u.begin.options.idempotency_key = copy_or_null(options->idempotency_key);
	event->u.begin.options.operation = copy_or_null(options->operation);
	event->u.begin.options.user_metadata = copy_or_null(options->user_metadata);
	event->u.begin.options.app_id = copy_or_null(options->app_id);
	event->u.begin.at = GetCurrentTimestamp();
	event->u.begin.replayed = replayed_as != NULL;
	if (replayed_as != NULL)
		event->u.begin.replayed_as = *replayed_as;
	MemoryContextSwitchTo(old);
	append_event(event);
}

void
deltatx_session_log_stage(const StageCall *call)
{
	Event	   *event = new_event(EVENT_STAGE);
	MemoryContext old = MemoryContextSwitchTo(event->context);

	event->u.stage = copy_of_call(call);
	MemoryContextSwitchTo(old);
	append_event(event);
}

void
deltatx_session_log_read(const DeclaredRead *read)
{
	Event	   *event = new_event(EVENT_READ);

	event->u.read = *read;
	event->u.read.table_name = MemoryContextStrdup(event->context, read->table_name);
	append_event(event);
}

void
deltatx_session_log_end(void)
{
	append_event(new_event(EVENT_END));
}

static void
xact_callback(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			refuse_unfinished("COMMIT");
			break;
		case XACT_EVENT_PRE_PREPARE:
			refuse_unfinished("PREPARE TRANSACTION");
			break;
		default:
			forget_everything();
			deltatx_table_shapes_trim();
			break;
	}
}

static void
subxact_callback(SubXactEvent event, SubTransactionId my_subid,
				 SubTransactionId parent_subid, void *arg)
{
	if (events == NIL)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		hand_to_parent(my_subid, parent_subid);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		drop_events_of(my_subid);
}

static void
refuse_unfinished(const char *command)
{
	OpenTransaction *transaction = events == NIL ? NULL : deltatx_session_current();

	if (transaction == NULL)
		return;

	ereport(ERROR,
			(deltatx_condition(DTX_NOT_FINISHED, NULL),
			 errmsg("deltatx transaction is not finished at %s", command),
			 errdetail_internal("transaction=%s tables=%d",
								deltatx_uuid_text(&transaction->id),
								list_length(transaction->tables)),
			 errhint("Call deltatx_commit() or deltatx_rollback() first; without BEGIN, every statement is a transaction of its own.")));
}

/* The memory goes with TopTransactionContext. */
static void
forget_everything(void)
{
	events = NIL;
	log_context = NULL;
	fold_context = NULL;
	current = NULL;
	current_is_valid = false;
}

static void
hand_to_parent(SubTransactionId subid, SubTransactionId parent)
{
	ListCell   *cell;

	foreach(cell, events)
	{
		Event	   *event = lfirst(cell);

		if (event->subid == subid)
			event->subid = parent;
	}
}

static void
drop_events_of(SubTransactionId subid)
{
	ListCell   *cell;

	foreach(cell, events)
	{
		Event	   *event = lfirst(cell);

		if (event->subid != subid)
			continue;
		events = foreach_delete_current(events, cell);
		MemoryContextDelete(event->context);
		current_is_valid = false;
	}
}

/* An event in a context of its own, not yet in the log. */
static Event *
new_event(EventKind kind)
{
	MemoryContext context;
	Event	   *event;

	if (log_context == NULL)
	{
		log_context = AllocSetContextCreate(TopTransactionContext, "deltatx event log",
											ALLOCSET_SMALL_SIZES);
		fold_context = AllocSetContextCreate(TopTransactionContext, "deltatx transaction",
											 ALLOCSET_SMALL_SIZES);
	}
	context = AllocSetContextCreate(log_context, "deltatx event", ALLOCSET_SMALL_SIZES);
	event = MemoryContextAllocZero(context, sizeof(Event));
	event->kind = kind;
	event->subid = GetCurrentSubTransactionId();
	event->context = context;
	return event;
}

static void
append_event(Event *event)
{
	MemoryContext old = MemoryContextSwitchTo(log_context);

	(void) deltatx_session_current();
	events = lappend(events, event);
	MemoryContextSwitchTo(old);

	/* Were folding to fail half-way, the next call would fold anew. */
	current_is_valid = false;
	fold_event(event);
	current_is_valid = true;
}

static void
fold_event(Event *event)
{
	MemoryContext old = MemoryContextSwitchTo(fold_context);

	switch (event->kind)
	{
		case EVENT_BEGIN:
			fold_begin(event);
			break;
		case EVENT_STAGE:
			fold_stage(&event->u.stage);
			break;
		case EVENT_READ:
			current->reads = lappend(current->reads, &event->u.read);
			break;
		case EVENT_END:
			current = NULL;
			break;
	}
	MemoryContextSwitchTo(old);
}

static void
fold_begin(Event *event)
{
	current = palloc0(sizeof(OpenTransaction));
	current->id = event->u.begin.id;
	current->options = event->u.begin.options;
	current->begun_at = event->u.begin.at;
	current->replayed = event->u.begin.replayed;
	current->replayed_as = event->u.begin.replayed_as;
}

static void
fold_stage(const StageCall *call)
{
	StagedTable *table = deltatx_session_table(current, call->table_id);
	StageCall  *sum;

	current->actions += call->actions;
	if (table == NULL)
	{
		table = palloc0(sizeof(StagedTable));
		table->sum = *call;
		table->sum.txns = list_copy(call->txns);
		table->sum.domains = list_copy(call->domains);
		table->sum.enforced = list_copy(call->enforced);
		table->digests = list_make1((uint8 *) call->digest);
		current->tables = lappend(current->tables, table);
		return;
	}

	sum = &table->sum;
	if (sum->terms_open)
	{
		sum->terms_open = call->terms_open;
		sum->mode = call->mode;
		sum->read_version = call->read_version;
		sum->expected_version = call->expected_version;
		sum->partition_filter = call->partition_filter;
	}
	sum->seen_version = Min(sum->seen_version, call->seen_version);
	sum->adds += call->adds;
	sum->removes += call->removes;
	sum->superseded += call->superseded;
	sum->actions += call->actions;
	sum->bytes_added += call->bytes_added;
	sum->bytes_removed += call->bytes_removed;
	sum->bytes_superseded += call->bytes_superseded;
	sum->next_add = call->next_add;
	sum->next_remove = call->next_remove;
	if (call->metadata != NULL)
		sum->metadata = call->metadata;
	if (call->protocol != NULL)
		sum->protocol = call->protocol;
	sum->txns = list_concat(sum->txns, call->txns);
	sum->domains = list_concat(sum->domains, call->domains);
	sum->enforced = list_concat(sum->enforced, call->enforced);
	if (call->info.operation != NULL)
		sum->info.operation = call->info.operation;
	if (call->info.operation_parameters != NULL)
		sum->info.operation_parameters = call->info.operation_parameters;
	if (call->info.operation_metrics != NULL)
		sum->info.operation_metrics = call->info.operation_metrics;
	if (call->info.user_metadata != NULL)
		sum->info.user_metadata = call->info.user_metadata;
	if (call->info.tags != NULL)
		sum->info.tags = call->info.tags;
	table->digests = lappend(table->digests, (uint8 *) call->digest);
}

static StageCall
copy_of_call(const StageCall *call)
{
	StageCall	copy = *call;
	ListCell   *cell;

	copy.table_name = pstrdup(call->table_name);
	copy.partition_filter = copy_or_null(call->partition_filter);
	copy.metadata = call->metadata ? deltatx_metadata_copy(call->metadata) : NULL;
	copy.protocol = call->protocol ? deltatx_protocol_copy(call->protocol) : NULL;
	copy.enforced = copy_strings(call->enforced);

	copy.txns = NIL;
	foreach(cell, call->txns)
	{
		TxnAction  *txn = palloc(sizeof(TxnAction));

		*txn = *(TxnAction *) lfirst(cell);
		txn->app_id = pstrdup(txn->app_id);
		txn->extra = copy_or_null(txn->extra);
		copy.txns = lappend(copy.txns, txn);
	}

	copy.domains = NIL;
	foreach(cell, call->domains)
	{
		DomainAction *domain = palloc(sizeof(DomainAction));

		*domain = *(DomainAction *) lfirst(cell);
		domain->domain = pstrdup(domain->domain);
		domain->configuration = pstrdup(domain->configuration);
		domain->extra = copy_or_null(domain->extra);
		copy.domains = lappend(copy.domains, domain);
	}

	copy.info.operation = copy_or_null(call->info.operation);
	copy.info.operation_parameters = copy_or_null(call->info.operation_parameters);
	copy.info.operation_metrics = copy_or_null(call->info.operation_metrics);
	copy.info.user_metadata = copy_or_null(call->info.user_metadata);
	copy.info.tags = copy_or_null(call->info.tags);
	return copy;
}

MetadataAction *
deltatx_metadata_copy(const MetadataAction *metadata)
{
	MetadataAction *copy = palloc(sizeof(MetadataAction));
	ListCell   *cell;

	*copy = *metadata;
	copy->id = pstrdup(metadata->id);
	copy->name = copy_or_null(metadata->name);
	copy->description = copy_or_null(metadata->description);
	copy->format_provider = pstrdup(metadata->format_provider);
	copy->format_options = pstrdup(metadata->format_options);
	copy->schema_string = pstrdup(metadata->schema_string);
	copy->partition_columns = copy_strings(metadata->partition_columns);
	copy->extra = copy_or_null(metadata->extra);

	copy->configuration = NIL;
	foreach(cell, metadata->configuration)
	{
		Property   *property = palloc(sizeof(Property));

		property->key = pstrdup(((Property *) lfirst(cell))->key);
		property->value = pstrdup(((Property *) lfirst(cell))->value);
		copy->configuration = lappend(copy->configuration, property);
	}
	return copy;
}

ProtocolAction *
deltatx_protocol_copy(const ProtocolAction *protocol)
{
	ProtocolAction *copy = palloc(sizeof(ProtocolAction));

	*copy = *protocol;
	copy->reader_features = copy_strings(protocol->reader_features);
	copy->writer_features = copy_strings(protocol->writer_features);
	copy->extra = copy_or_null(protocol->extra);
	return copy;
}

static List *
copy_strings(const List *strings)
{
	List	   *copy = NIL;
	ListCell   *cell;

	foreach(cell, strings)
		copy = lappend(copy, pstrdup(lfirst(cell)));
	return copy;
}

static char *
copy_or_null(const char *string)
{
	return string == NULL ? NULL : pstrdup(string);
}
