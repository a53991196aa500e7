/*-------------------------------------------------------------------------
 *
 * store.c
 *	  What all kinds of stores have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/store.h"

#define COMPARE_CHUNK	65536

typedef struct Comparison
{
	const StoreBody *body;
	char	   *buffer;
	int64		compared;
	bool		same;
} Comparison;

static bool compare_chunk(const void *data, size_t size, void *arg);

Store *
deltatx_store_open(const char *location, const StoreConnection *connection)
{
	if (strncmp(location, "file:", 5) == 0)
		return deltatx_store_open_local(location);
	if (strncmp(location, "s3:", 3) == 0 && connection != NULL)
		return deltatx_store_open_s3(location, connection);

	elog(ERROR, "no store for location \"%s\"", location);
}

void
deltatx_store_put(StorePut *puts, int n)
{
	for (int first = 0, next; first < n; first = next)
	{
		const StoreMethods *methods = puts[first].store->methods;

		next = first + 1;
		if (deltatx_store_is_blocked(puts, first, puts[first].store))
		{
			puts[first].outcome = STORE_SKIPPED;
			continue;
		}
		while (next < n && puts[next].store->methods == methods &&
			   !deltatx_store_is_blocked(puts, first, puts[next].store))
			next++;
		methods->put_if_absent(puts + first, next - first);
	}
}

bool
deltatx_store_is_blocked(const StorePut *puts, int n, const Store *store)
{
	for (int i = 0; i < n; i++)
	{
		if (puts[i].store == store && puts[i].outcome != STORE_DONE)
			return true;
	}
	return false;
}

StoreOutcome
deltatx_store_compare(Store *store, const char *key, const StoreBody *body)
{
	Comparison	comparison = {.body = body, .same = true};
	StoreOutcome outcome;

	comparison.buffer = palloc(COMPARE_CHUNK);
	body->rewind(body->arg);
	outcome = store->methods->get(store, key, compare_chunk, &comparison);
	pfree(comparison.buffer);

	if (outcome == STORE_DONE && !(comparison.same && comparison.compared == body->length))
		return STORE_DIFFERS;
	return outcome;
}

static bool
compare_chunk(const void *data, size_t size, void *arg)
{
	Comparison *comparison = arg;
	const char *next = data;

	while (size > 0 && comparison->same)
	{
		size_t		chunk = Min(size, COMPARE_CHUNK);
		size_t		expected = comparison->body->read(comparison->body->arg,
													  comparison->buffer, chunk);

		comparison->same = expected == chunk && memcmp(next, comparison->buffer, chunk) == 0;
		comparison->compared += chunk;
		next += chunk;
		size -= chunk;
	}
	return comparison->same;
}
