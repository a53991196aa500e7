/*-------------------------------------------------------------------------
 *
 * s3_list.c
 *	  List keys of a bucket, page by page.
 *
 * A page is a whole XML document or not believed.  A listing must end: each
 * page has to begin after the one before it, and there is a bound for stores
 * that go on nevertheless.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/s3.h"
#include "store/sigv4.h"
#include "store/xml.h"

#define MAX_PAGES	10000

typedef struct ListPage
{
	const char *prefix;			/* of the table's keys */
	List	   *keys;			/* of char *, below the table's location */
	char	   *token;			/* NULL: this is the last page */
	bool		truncated;
	bool		complete;		/* it was a listing, and whole */
	bool		foreign;		/* it had keys that were not asked for */
} ListPage;

static StoreOutcome read_page(S3Store *store, const char *directory, const char *start,
							  const char *token, ListPage *page);
static List *query_of(const S3Store *store, const char *directory, const char *start, const char *token);
static List *add_parameter(List *query, const char *name, const char *value);
static void take_element(const char *path, const char *text, void *arg);
static void take_key(ListPage *page, const char *key);
static int	compare_keys(const ListCell *a, const ListCell *b);

StoreOutcome
deltatx_s3_list(Store *base, const char *directory, const char *start, StoreLister lister, void *arg)
{
	S3Store    *store = (S3Store *) base;
	S3Call		call = {.action = "list", .key = directory};
	const char *last = start;
	const char *token = NULL;

	for (int i = 0; i < MAX_PAGES; i++)
	{
		ListPage	page = {.prefix = store->prefix};
		StoreOutcome outcome = read_page(store, directory, start, token, &page);
		ListCell   *cell;

		if (outcome != STORE_DONE)
			return outcome;
		foreach(cell, page.keys)
		{
			/* Some stores repeat a directory, or begin with the start. */
			if (strcmp(lfirst(cell), last) <= 0)
				continue;
			last = lfirst(cell);
			if (!lister(last, arg))
				return STORE_DONE;
		}
		if (!page.truncated)
			return STORE_DONE;
		token = page.token;
	}
	return deltatx_s3_fail(store, &call, STORE_PERMANENT, "the listing does not end", NULL);
}

static StoreOutcome
read_page(S3Store *store, const char *directory, const char *start, const char *token, ListPage *page)
{
	S3Call		call = {
		.action = "list",
		.method = "GET",
		.key = directory,
		.on_bucket = true,
		.query = query_of(store, directory, start, token)
	};
	StoreOutcome outcome = deltatx_s3_call(store, &call);

	if (outcome == STORE_MISSING || outcome == STORE_DIFFERS)
		return deltatx_s3_fail(store, &call, STORE_PERMANENT, "the store does not answer as S3 does", NULL);
	if (outcome != STORE_DONE)
		return outcome;

	if (!deltatx_xml_read(call.response.body.data, call.response.body.len, take_element, page) ||
		!page->complete || page->foreign || (page->truncated && page->token == NULL))
		return deltatx_s3_fail(store, &call, STORE_TRANSIENT, "the answer is not a listing of what was asked for", NULL);

	/* Keys and directories come in two lists. */
	list_sort(page->keys, compare_keys);
	return STORE_DONE;
}

/* A directory within the directory is one key. */
static List *
query_of(const S3Store *store, const char *directory, const char *start, const char *token)
{
	List	   *query = NIL;

	query = add_parameter(query, "list-type", "2");
	query = add_parameter(query, "delimiter", "/");
	query = add_parameter(query, "prefix", psprintf("%s%s", store->prefix, directory));
	query = add_parameter(query, "start-after", psprintf("%s%s", store->prefix, start));
	if (token != NULL)
		query = add_parameter(query, "continuation-token", token);
	return query;
}

static List *
add_parameter(List *query, const char *name, const char *value)
{
	SigV4Pair  *parameter = palloc(sizeof(SigV4Pair));

	parameter->name = name;
	parameter->value = value;
	return lappend(query, parameter);
}

static void
take_element(const char *path, const char *text, void *arg)
{
	ListPage   *page = arg;

	if (strcmp(path, "ListBucketResult/Contents/Key") == 0 ||
		strcmp(path, "ListBucketResult/CommonPrefixes/Prefix") == 0)
		take_key(page, text);
	else if (strcmp(path, "ListBucketResult/IsTruncated") == 0)
		page->truncated = strcmp(text, "true") == 0;
	else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0)
		page->token = pstrdup(text);
	else if (strcmp(path, "ListBucketResult") == 0)
		page->complete = true;
}

static void
take_key(ListPage *page, const char *key)
{
	size_t		length = strlen(page->prefix);

	if (strncmp(key, page->prefix, length) == 0)
		page->keys = lappend(page->keys, pstrdup(key + length));
	else
		page->foreign = true;
}

static int
compare_keys(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}
