/*-------------------------------------------------------------------------
 *
 * s3.c
 *	  A bucket of S3, or of a store that speaks its language, as store.
 *
 * Create-only is a PUT with "If-None-Match: *": of any number of writers one
 * wins, the others get 412.  A PUT is all or nothing and durable when it is
 * answered, so there is nothing to tidy up.  Where an answer is lost, the
 * retry gets 412 from its own object, which is told by comparing.
 *
 * All depends on the store honouring that header.  Some don't know it and
 * overwrite.  So the first object that a worker creates in a bucket is put
 * once more, with the same content: where that succeeds too, nothing was
 * damaged, and the store is refused.  The header is signed, so no proxy in
 * between can drop it unnoticed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "store/s3.h"

#define S3_SCHEME		"s3://"
#define DEFAULT_REGION	"us-east-1"

/* A bound for several objects; a table's readers see each as soon as it is there. */
#define ROUND_MS		500

/* Buckets that have refused to overwrite: URLs. */
static List *proven_buckets;

static StoreOutcome s3_prepare(Store *store, const char *directory);
static void s3_put_if_absent(StorePut *puts, int n);
static StoreOutcome s3_get(Store *store, const char *key, StoreSink sink, void *arg);
static StoreOutcome s3_tidy(Store *store, const char *directory);
static void set_address(S3Store *store);
static char *default_endpoint(const char *region);
static bool is_path_style(const S3Store *store);
static StoreOutcome create(S3Store *store, const char *key, const StoreBody *body);
static StoreOutcome put(S3Store *store, const char *key, const StoreBody *body);
static StoreOutcome prove_bucket(S3Store *store, const char *key, const StoreBody *body);
static bool is_proven(const char *bucket);

static const StoreMethods s3_methods = {
	.prepare = s3_prepare,
	.put_if_absent = s3_put_if_absent,
	.get = s3_get,
	.list = deltatx_s3_list,
	.tidy = s3_tidy
};

Store *
deltatx_store_open_s3(const char *location, const StoreConnection *connection)
{
	S3Store    *store = palloc0(sizeof(S3Store));
	const char *bucket = location + strlen(S3_SCHEME);
	size_t		bucket_length = strcspn(bucket, "/");

	store->base.methods = &s3_methods;
	store->base.location = pstrdup(location);
	store->connection = connection;
	store->bucket = pnstrdup(bucket, bucket_length);
	store->prefix = psprintf("%s/", bucket + bucket_length + 1);
	store->region = connection->region != NULL ? connection->region : DEFAULT_REGION;
	set_address(store);
	return &store->base;
}

/* The bucket is in the path or, as AWS wants it, in the host's name. */
static void
set_address(S3Store *store)
{
	const char *endpoint = store->connection->endpoint != NULL ? store->connection->endpoint :
		default_endpoint(store->region);
	const char *host = strstr(endpoint, "://") + 3;
	int			host_length = (int) strcspn(host, "/");
	int			scheme_length = (int) (host - endpoint);

	if (is_path_style(store))
	{
		store->host = pnstrdup(host, host_length);
		store->root = psprintf("/%s", store->bucket);
	}
	else
	{
		store->host = psprintf("%s.%.*s", store->bucket, host_length, host);
		store->root = "";
	}
	store->origin = psprintf("%.*s%s", scheme_length, endpoint, store->host);
}

static char *
default_endpoint(const char *region)
{
	return psprintf("https://s3.%s.amazonaws.com%s", region,
					strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

/* No certificate covers a host whose first part has dots. */
static bool
is_path_style(const S3Store *store)
{
	bool		path_style;

	if (store->connection->path_style != NULL && parse_bool(store->connection->path_style, &path_style))
		return path_style;
	return store->connection->endpoint != NULL || strchr(store->bucket, '.') != NULL;
}

static StoreOutcome
s3_prepare(Store *store, const char *directory)
{
	return STORE_DONE;
}

/* One after the other; after a while the rest has to wait, so that what is done is recorded. */
static void
s3_put_if_absent(StorePut *puts, int n)
{
	TimestampTz started_at = GetCurrentTimestamp();

	for (int i = 0; i < n; i++)
	{
		if (deltatx_store_is_blocked(puts, i, puts[i].store) ||
			(i > 0 && TimestampDifferenceExceeds(started_at, GetCurrentTimestamp(), ROUND_MS)))
			puts[i].outcome = STORE_SKIPPED;
		else
			puts[i].outcome = create((S3Store *) puts[i].store, puts[i].key, &puts[i].body);
	}
}

static StoreOutcome
create(S3Store *store, const char *key, const StoreBody *body)
{
	StoreOutcome outcome = put(store, key, body);

	if (outcome == STORE_DONE)
		return prove_bucket(store, key, body);
	if (outcome == STORE_DIFFERS)
		return deltatx_store_compare(&store->base, key, body);
	return outcome;
}

/* That the object has arrived is proven by its ETag. */
static StoreOutcome
put(S3Store *store, const char *key, const StoreBody *body)
{
	S3Call		call = {.action = "write", .method = "PUT", .key = key, .body = body};
	StoreOutcome outcome = deltatx_s3_call(store, &call);

	if (outcome == STORE_DONE && call.response.etag[0] == '\0')
		return deltatx_s3_fail(store, &call, STORE_TRANSIENT, "the answer has no ETag", NULL);
	return outcome;
}

/* The object is there; anything but a second success leaves the proof to the next one. */
static StoreOutcome
prove_bucket(S3Store *store, const char *key, const StoreBody *body)
{
	char	   *bucket = psprintf("%s%s", store->origin, store->root);
	S3Call		call = {.action = "write", .key = key};
	StoreOutcome outcome;

	if (is_proven(bucket))
		return STORE_DONE;

	outcome = put(store, key, body);
	if (outcome == STORE_DONE)
		return deltatx_s3_fail(store, &call, STORE_PERMANENT,
							   "the store overwrites objects that it is asked to create only",
							   "Use a store that honours the header If-None-Match of PUT requests.");
	if (outcome == STORE_DIFFERS)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		proven_buckets = lappend(proven_buckets, pstrdup(bucket));
		MemoryContextSwitchTo(caller);
	}
	return STORE_DONE;
}

static bool
is_proven(const char *bucket)
{
	ListCell   *cell;

	foreach(cell, proven_buckets)
	{
		if (strcmp(lfirst(cell), bucket) == 0)
			return true;
	}
	return false;
}

static StoreOutcome
s3_get(Store *base, const char *key, StoreSink sink, void *arg)
{
	S3Call		call = {.action = "read", .method = "GET", .key = key, .sink = sink, .sink_arg = arg};

	return deltatx_s3_call((S3Store *) base, &call);
}

static StoreOutcome
s3_tidy(Store *store, const char *directory)
{
	return STORE_DONE;
}
