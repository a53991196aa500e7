/*-------------------------------------------------------------------------
 *
 * contact.c
 *	  What the store has in store: verdicts on failures, and the first look
 *	  at a table's log.
 *
 * Create-only writes protect what is in the log at the version that we write.
 * They don't tell that the log has other content further on: the log of
 * another table, or our own as it was before the database was restored to an
 * earlier time.  So before a worker publishes its first version of a table it
 * lists the log past the table's head: versions there are not ours.  A new
 * table's log must have nothing at all but what we may have published.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/hsearch.h"

#include "mirror/contact.h"

#define LOG_DIRECTORY	"_delta_log/"
#define VERSION_DIGITS	20

/* Tables whose logs this worker has looked at, since they have a first version. */
static HTAB *contacted;

typedef struct ForeignSearch
{
	const QueuedVersion *queued;
	char	   *found;			/* key; NULL: none */
} ForeignSearch;

static bool is_contacted(int64 table_id);
static void note_contact(int64 table_id);
static bool look_for_foreign(const char *key, void *arg);
static int64 version_of(const char *key);
static Verdict *verdict_of_foreign(const QueuedVersion *queued, const char *key);

Verdict *
deltatx_verdict(MirrorErrorClass error_class, char *object, char *message, const char *hint)
{
	Verdict    *verdict = palloc0(sizeof(Verdict));

	verdict->error_class = error_class;
	verdict->object = object;
	verdict->message = message;
	verdict->hint = hint;
	return verdict;
}

/* Of an error while the bytes were made: lack of resources passes, all else is for somebody to look at. */
Verdict *
deltatx_verdict_of_error(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	bool		passes = category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK);

	return deltatx_verdict(passes ? MIRROR_TRANSIENT : MIRROR_PERMANENT, NULL,
						   pstrdup(error->message), error->hint);
}

Verdict *
deltatx_verdict_of_store(const Store *store, StoreOutcome outcome)
{
	Verdict    *verdict;

	if (outcome == STORE_MISSING)
		return deltatx_verdict(MIRROR_TRANSIENT, pstrdup(store->location),
							   pstrdup("an object of the log has just vanished"), NULL);
	verdict = deltatx_verdict(outcome == STORE_PERMANENT ? MIRROR_PERMANENT : MIRROR_TRANSIENT,
							  store->fault.object, store->fault.message, store->fault.hint);
	verdict->retry_after_ms = store->fault.retry_after_ms;
	return verdict;
}

const char *
deltatx_error_class_name(MirrorErrorClass error_class)
{
	switch (error_class)
	{
		case MIRROR_TRANSIENT:
			return "transient";
		case MIRROR_PERMANENT:
			return "permanent";
		case MIRROR_DIVERGED:
			return "diverged";
	}
	pg_unreachable();
}

char *
deltatx_commit_key(int64 version)
{
	return psprintf(LOG_DIRECTORY "%0*lld.json", VERSION_DIGITS, (long long) version);
}

Verdict *
deltatx_contact(Store *store, const QueuedVersion *queued)
{
	ForeignSearch search = {.queued = queued};
	const char *start = queued->version == 0 ? LOG_DIRECTORY :
		deltatx_commit_key(queued->current_version);
	StoreOutcome outcome = STORE_DONE;

	if (is_contacted(queued->table_id))
		return NULL;

	if (queued->version == 0)
		outcome = store->methods->prepare(store, LOG_DIRECTORY);
	if (outcome == STORE_DONE)
		outcome = store->methods->tidy(store, LOG_DIRECTORY);
	if (outcome == STORE_DONE)
		outcome = store->methods->list(store, LOG_DIRECTORY, start, look_for_foreign, &search);
	if (outcome != STORE_DONE)
		return deltatx_verdict_of_store(store, outcome);
	if (search.found != NULL)
		return verdict_of_foreign(queued, search.found);

	if (queued->version > 0)
		note_contact(queued->table_id);
	return NULL;
}

static bool
is_contacted(int64 table_id)
{
	return contacted != NULL && hash_search(contacted, &table_id, HASH_FIND, NULL) != NULL;
}

static void
note_contact(int64 table_id)
{
	if (contacted == NULL)
		contacted = hash_create("deltatx contacted tables", 64,
								&(HASHCTL) {.keysize = sizeof(int64), .entrysize = sizeof(int64)},
								HASH_ELEM | HASH_BLOBS);
	(void) hash_search(contacted, &table_id, HASH_ENTER, NULL);
}

/*
 * Commit files up to our head may be ours, and are compared when it is their
 * turn.  Other files (checkpoints and the like) tell something only before
 * our first version.
 */
static bool
look_for_foreign(const char *key, void *arg)
{
	ForeignSearch *search = arg;
	int64		version = version_of(key);
	bool		foreign = version >= 0 ? version > search->queued->current_version :
		search->queued->version == 0;

	if (foreign)
		search->found = pstrdup(key);
	return !foreign;
}

/* The version of a commit file; -1 for other keys. */
static int64
version_of(const char *key)
{
	const char *name = key + strlen(LOG_DIRECTORY);

	if (strspn(name, "0123456789") != VERSION_DIGITS ||
		strcmp(name + VERSION_DIGITS, ".json") != 0)
		return -1;
	return (int64) strtoll(name, NULL, 10);
}

static Verdict *
verdict_of_foreign(const QueuedVersion *queued, const char *key)
{
	char	   *object = psprintf("%s/%s", queued->location, key);

	if (queued->version == 0)
		return deltatx_verdict(MIRROR_DIVERGED, object,
							   pstrdup("the log of the new table is not empty"),
							   "Use another location, or empty this one if nobody needs it, and run deltatx_retry().");
	return deltatx_verdict(MIRROR_DIVERGED, object,
						   psprintf("the log goes on after version " INT64_FORMAT ", the table's newest",
									queued->current_version),
						   "Somebody else has written to this log, or the database was restored to an earlier time; move the later files away if the catalog is right, and run deltatx_retry().");
}
