/*-------------------------------------------------------------------------
 *
 * publish.c
 *	  Publish committed versions: claim, transfer, record.
 *
 * A round takes the next versions of the queue through three steps:
 *
 *	claim		in a transaction: make the bytes, and note their length and
 *				SHA-256 with the version.
 *	transfer	outside of any transaction, so that a slow store holds no
 *				snapshot and no lock: create the objects, none of which may
 *				exist.
 *	record		in a transaction: take the versions off the queue.
 *
 * Durable before published.  A commit with synchronous_commit = off is visible
 * before it is durable: published at once, and followed by a crash, it would
 * be gone from here and stay there, and the next commit would take the same
 * version.  The claim commits synchronously (worker.c pins that).  Its commit
 * record follows that of the version in the WAL, so flushing it flushes both.
 * A version that was claimed before needs no new claim: that one was flushed.
 *
 * Where the worker can die, and what its successor finds:
 *
 *	- before the claim is committed: nothing happened.
 *	- after that: the version is still queued.  The bytes are made anew, and
 *	  must be those that were claimed.  If the object was created already,
 *	  it has these bytes: done.  If it has others, somebody else wrote it:
 *	  the table is diverged, and nothing is overwritten.
 *	- after the record: done.
 *
 * Within a table the versions go out in order, since a reader of version n
 * needs all before it.  So a failure ends the round for its table, and only
 * for that: other tables go on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "catalog/mirror_queue.h"
#include "catalog/servers.h"
#include "deltatx.h"
#include "mirror/contact.h"
#include "mirror/horizon.h"
#include "mirror/notify.h"
#include "mirror/shared.h"
#include "mirror/spool.h"
#include "mirror/worker.h"
#include "store/store.h"

/* Bounds of a round. */
#define ROUND_VERSIONS	64
#define ROUND_BYTES		(8 * 1024 * 1024)

typedef struct Shipment
{
	QueuedVersion *queued;
	StoreConnection *connection;	/* NULL: a bare file: location */
	Spool	   *spool;			/* NULL: it could not be made */
	Store	   *store;			/* of its table, the same for all of a round */
	bool		published;
	TimestampTz at;				/* when */
	bool		recorded;		/* the catalog knows that it is published */
	Verdict    *failure;		/* NULL: none */
	double		duration_ms;
} Shipment;

static List *claim(TimestampTz *due);
static List *prepare(List *queue);
static Shipment *prepare_one(QueuedVersion *queued);
static void find_server(Shipment *shipment);
static void build(Shipment *shipment);
static void check_proof(Shipment *shipment);
static void note_claims(List *shipments);
static void transfer(List *shipments);
static List *contact(List *shipments);
static Store *store_of(List *shipments, int64 table_id);
static void announce(List *shipments);
static void judge(Shipment *shipment, StoreOutcome outcome);
static uint64 record(List *shipments);
static void show_progress(List *shipments);
static uint64 record_published(List *shipments);
static uint64 record_failed(const Shipment *shipment);
static void decide(const Shipment *shipment, MirrorFailure *failure);
static TimestampTz after_backoff(int attempts);
static TimestampTz after_pause(const Verdict *verdict);
static void report_failure(const Shipment *shipment, const MirrorFailure *failure);
static void report_recovery(const Shipment *shipment);
static char *facts(const Shipment *shipment, int attempt);
static bool has_failed(List *shipments, const Shipment *before, int64 table_id);
static void close_spools(List *shipments);

bool
deltatx_publish_round(TimestampTz *due)
{
	List	   *shipments = claim(due);
	uint64		recorded;

	if (shipments == NIL)
		return false;

	transfer(shipments);
	recorded = record(shipments);
	close_spools(shipments);
	return recorded > 0;
}

/*
 * Claim
 */

static List *
claim(TimestampTz *due)
{
	CatalogScope scope;
	List	   *shipments;

	deltatx_worker_begin(&scope);
	shipments = prepare(deltatx_queue_next(ROUND_VERSIONS));
	if (shipments == NIL)
		*due = deltatx_queue_next_attempt();
	else
		note_claims(shipments);
	deltatx_worker_commit(&scope);
	return shipments;
}

static List *
prepare(List *queue)
{
	List	   *shipments = NIL;
	int64		size = 0;
	ListCell   *cell;

	foreach(cell, queue)
	{
		QueuedVersion *queued = lfirst(cell);
		Shipment   *shipment;

		if (size >= ROUND_BYTES)
			break;
		if (has_failed(shipments, NULL, queued->table_id))
			continue;
		shipment = prepare_one(queued);
		if (shipment->spool != NULL)
			size += deltatx_spool_proof(shipment->spool)->length;
		shipments = lappend(shipments, shipment);
	}
	return shipments;
}

static Shipment *
prepare_one(QueuedVersion *queued)
{
	Shipment   *shipment = palloc0(sizeof(Shipment));

	shipment->queued = queued;
	deltatx_worker_doing("preparing version " INT64_FORMAT " of table \"%s\"",
						 queued->version, queued->table_name);
	find_server(shipment);
	if (shipment->failure == NULL)
		build(shipment);
	if (shipment->spool != NULL && queued->claimed != NULL)
		check_proof(shipment);
	return shipment;
}

/* Each round anew, so that options and secrets that have changed are used. */
static void
find_server(Shipment *shipment)
{
	const QueuedVersion *queued = shipment->queued;
	char	   *message;
	char	   *hint;

	if (queued->server_name == NULL)
		return;
	shipment->connection = deltatx_server_connection(queued->server_name, queued->owner_name,
													 queued->location, &message, &hint);
	if (shipment->connection == NULL)
		shipment->failure = deltatx_verdict(MIRROR_PERMANENT, NULL, message, hint);
}

/* In a subtransaction: what is wrong with one version must not stop the others. */
static void
build(Shipment *shipment)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		shipment->spool = deltatx_spool_build(shipment->queued->table_id,
											  shipment->queued->version);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		shipment->failure = deltatx_verdict_of_error(CopyErrorData());
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
}

/* The bytes must be those of the first attempt, or a reader may have seen others. */
static void
check_proof(Shipment *shipment)
{
	const FileProof *claimed = shipment->queued->claimed;
	const FileProof *made = deltatx_spool_proof(shipment->spool);

	if (claimed->length == made->length &&
		memcmp(claimed->sha256, made->sha256, sizeof(made->sha256)) == 0)
		return;

	shipment->failure = deltatx_verdict(MIRROR_DIVERGED, NULL,
										psprintf("version " INT64_FORMAT " was claimed with " INT64_FORMAT
												 " bytes, and now gives other " INT64_FORMAT " bytes",
												 shipment->queued->version, claimed->length, made->length),
										"Make sure that the catalog's tables have not been changed by hand, and report this as a bug of deltatx.");
}

static void
note_claims(List *shipments)
{
	QueuedVersion **versions = palloc(list_length(shipments) * sizeof(*versions));
	const FileProof **proofs = palloc(list_length(shipments) * sizeof(*proofs));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		if (shipment->failure != NULL || shipment->queued->claimed != NULL)
			continue;
		versions[n] = shipment->queued;
		proofs[n++] = deltatx_spool_proof(shipment->spool);
		deltatx_notify_commit(shipment->queued);
	}
	if (n > 0)
		deltatx_queue_claim(versions, proofs, n);
}

/*
 * Transfer
 */

static void
transfer(List *shipments)
{
	List	   *ready = contact(shipments);
	StorePut   *puts = palloc(list_length(ready) * sizeof(StorePut));
	int			n = 0;
	instr_time	started;
	instr_time	duration;
	ListCell   *cell;

	foreach(cell, ready)
	{
		Shipment   *shipment = lfirst(cell);

		puts[n].store = shipment->store;
		puts[n].key = deltatx_commit_key(shipment->queued->version);
		puts[n++].body = deltatx_spool_body(shipment->spool, shipment->queued->stamp);
	}

	announce(ready);
	INSTR_TIME_SET_CURRENT(started);
	deltatx_store_put(puts, n);
	INSTR_TIME_SET_CURRENT(duration);
	INSTR_TIME_SUBTRACT(duration, started);

	foreach(cell, ready)
	{
		Shipment   *shipment = lfirst(cell);

		shipment->duration_ms = INSTR_TIME_GET_MILLISEC(duration);
		judge(shipment, puts[foreach_current_index(cell)].outcome);
	}
}

/* The shipments whose stores can take them, as far as that is known before. */
static List *
contact(List *shipments)
{
	List	   *ready = NIL;
	ListCell   *cell;

	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (shipment->failure != NULL ||
			has_failed(shipments, shipment, shipment->queued->table_id))
			continue;
		shipment->store = store_of(ready, shipment->queued->table_id);
		if (shipment->store == NULL)
			shipment->store = deltatx_store_open(shipment->queued->location, shipment->connection);
		shipment->failure = deltatx_contact(shipment->store, shipment->queued);
		if (shipment->failure == NULL)
			ready = lappend(ready, shipment);
	}
	return ready;
}

/* That of the table's earlier shipments; NULL: there are none. */
static Store *
store_of(List *shipments, int64 table_id)
{
	ListCell   *cell;

	foreach(cell, shipments)
	{
		const Shipment *shipment = lfirst(cell);

		if (shipment->queued->table_id == table_id)
			return shipment->store;
	}
	return NULL;
}

static void
announce(List *shipments)
{
	const QueuedVersion *first;

	if (shipments == NIL)
		return;
	first = ((Shipment *) linitial(shipments))->queued;
	if (list_length(shipments) == 1)
		deltatx_worker_doing("publishing version " INT64_FORMAT " of table \"%s\"",
							 first->version, first->table_name);
	else
		deltatx_worker_doing("publishing %d versions, first version " INT64_FORMAT " of table \"%s\"",
							 list_length(shipments), first->version, first->table_name);
}

static void
judge(Shipment *shipment, StoreOutcome outcome)
{
	const QueuedVersion *queued = shipment->queued;

	switch (outcome)
	{
		case STORE_DONE:
			shipment->published = true;
			shipment->at = GetCurrentTimestamp();
			break;
		case STORE_SKIPPED:
			break;
		case STORE_DIFFERS:
			shipment->failure = deltatx_verdict(MIRROR_DIVERGED,
												psprintf("%s/%s", queued->location, deltatx_commit_key(queued->version)),
												psprintf("version " INT64_FORMAT " exists in the log with other content", queued->version),
												"Somebody else has written to this log; move the file away if the catalog is right, and run deltatx_retry().");
			break;
		default:
			shipment->failure = deltatx_verdict_of_store(shipment->store, outcome);
			break;
	}
}

/*
 * Record
 */

/* Returns the number of tables for which something was recorded. */
static uint64
record(List *shipments)
{
	CatalogScope scope;
	uint64		recorded;
	ListCell   *cell;

	deltatx_worker_begin(&scope);
	recorded = record_published(shipments);
	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		if (shipment->failure != NULL)
			recorded += record_failed(shipment);
		else if (shipment->recorded)
		{
			report_recovery(shipment);
			deltatx_notify_mirrored(shipment->queued);
		}
	}
	deltatx_worker_commit(&scope);

	if (recorded > 0)
		show_progress(shipments);
	return recorded;
}

/* To those who wait for it, and to the watermark. */
static void
show_progress(List *shipments)
{
	ListCell   *cell;

	foreach(cell, shipments)
	{
		const Shipment *shipment = lfirst(cell);

		if (shipment->published)
			deltatx_horizon_published(shipment->queued->stamp);
	}
	deltatx_shared_progress();
}

static uint64
record_published(List *shipments)
{
	QueuedVersion **versions = palloc(list_length(shipments) * sizeof(*versions));
	TimestampTz *at = palloc(list_length(shipments) * sizeof(TimestampTz));
	bool	   *recorded = palloc(list_length(shipments) * sizeof(bool));
	uint64		n_tables;
	int			n = 0;
	ListCell   *cell;

	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		if (!shipment->published)
			continue;
		versions[n] = shipment->queued;
		at[n++] = shipment->at;
	}
	if (n == 0)
		return 0;

	n_tables = deltatx_queue_record(versions, at, n, recorded);
	n = 0;
	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		if (shipment->published)
			shipment->recorded = recorded[n++];
	}
	return n_tables;
}

static uint64
record_failed(const Shipment *shipment)
{
	MirrorFailure failure;

	decide(shipment, &failure);
	if (deltatx_queue_record_failure(&failure) == 0)
		return 0;
	report_failure(shipment, &failure);
	return 1;
}

/* What a failed attempt makes of the table. */
static void
decide(const Shipment *shipment, MirrorFailure *failure)
{
	const Verdict *verdict = shipment->failure;

	failure->table_id = shipment->queued->table_id;
	failure->attempts = Min(shipment->queued->attempts, INT_MAX - 1) + 1;
	failure->error_class = deltatx_error_class_name(verdict->error_class);
	failure->last_error = verdict->hint == NULL ? verdict->message :
		psprintf("%s. %s", verdict->message, verdict->hint);
	failure->object = verdict->object;

	if (verdict->error_class == MIRROR_DIVERGED)
	{
		failure->state = "diverged";
		failure->next_attempt_at = DT_NOEND;
	}
	else if (verdict->error_class == MIRROR_PERMANENT ||
			 failure->attempts >= deltatx_mirror_max_attempts)
	{
		failure->state = "failed";
		failure->next_attempt_at = after_backoff(INT_MAX);
	}
	else
	{
		failure->state = "retrying";
		failure->next_attempt_at = Max(after_backoff(failure->attempts), after_pause(verdict));
	}
}

/* Doubling, up to a maximum; with jitter, so that tables that failed together don't retry together. */
static TimestampTz
after_backoff(int attempts)
{
	double		delay = deltatx_mirror_backoff_min;

	for (int i = 1; i < attempts && delay < deltatx_mirror_backoff_max; i++)
		delay *= 2;
	delay = Min(delay, deltatx_mirror_backoff_max);
	delay *= 0.75 + 0.25 * pg_prng_double(&pg_global_prng_state);
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(), (int64) delay);
}

/* What a store asks for, within our own bound. */
static TimestampTz
after_pause(const Verdict *verdict)
{
	return TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
									   Min(verdict->retry_after_ms, deltatx_mirror_backoff_max));
}

/* A state is logged when it begins; after that the view tells the rest. */
static void
report_failure(const Shipment *shipment, const MirrorFailure *failure)
{
	const Verdict *verdict = shipment->failure;

	if (strcmp(shipment->queued->state, failure->state) == 0)
		return;
	ereport(strcmp(failure->state, "retrying") == 0 ? LOG : WARNING,
			(deltatx_condition(DTX_MIRROR_FAILURE, shipment->queued->table_name),
			 errmsg("mirror of table \"%s\" is %s: %s",
					shipment->queued->table_name, failure->state, verdict->message),
			 errdetail_internal("%s class=%s%s%s", facts(shipment, failure->attempts),
								failure->error_class, verdict->object ? " object=" : "",
								verdict->object ? verdict->object : ""),
			 verdict->hint ? errhint("%s", verdict->hint) : 0));
}

static void
report_recovery(const Shipment *shipment)
{
	if (strcmp(shipment->queued->state, "idle") == 0)
		return;
	ereport(LOG,
			(errmsg("mirror of table \"%s\" works again", shipment->queued->table_name),
			 errdetail_internal("%s", facts(shipment, shipment->queued->attempts + 1))));
}

/* Parseable, for programs. */
static char *
facts(const Shipment *shipment, int attempt)
{
	return psprintf("table=%s version=" INT64_FORMAT " transaction=%s attempt=%d duration_ms=%.1f",
					shipment->queued->table_name, shipment->queued->version,
					shipment->queued->transaction_id, attempt, shipment->duration_ms);
}

/* Whether a version of this table failed; before: among those that come before this one, NULL: among all. */
static bool
has_failed(List *shipments, const Shipment *before, int64 table_id)
{
	ListCell   *cell;

	foreach(cell, shipments)
	{
		const Shipment *shipment = lfirst(cell);

		if (shipment == before)
			break;
		if (shipment->failure != NULL && shipment->queued->table_id == table_id)
			return true;
	}
	return false;
}

static void
close_spools(List *shipments)
{
	ListCell   *cell;

	foreach(cell, shipments)
	{
		Shipment   *shipment = lfirst(cell);

		if (shipment->spool != NULL)
			deltatx_spool_close(shipment->spool);
	}
}
