/*-------------------------------------------------------------------------
 *
 * s3_request.c
 *	  Requests to S3: their URLs, headers and signatures.
 *
 * The content's hash is signed too, so that what is stored is what was
 * spooled, over plain HTTP as well.
 *
 * A host that doesn't answer keeps a worker waiting until a timeout, with each
 * request of each table that lies there, and with it all other tables.  So it
 * is left alone for as long as it has kept us waiting: requests to it fail at
 * once.  A refused connection costs no time, and has no such effect.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "store/credentials.h"
#include "store/s3.h"
#include "store/sigv4.h"

#define SERVICE		"s3"

/* A host that has not answered. */
typedef struct SilentHost
{
	char	   *origin;
	TimestampTz until;			/* left alone */
	char		message[HTTP_MESSAGE_SIZE];
} SilentHost;

/* Of SilentHost *, one for each host that was silent once. */
static List *silent_hosts;

static void perform(const S3Store *store, const HttpRequest *request, HttpResponse *response);
static SilentHost *find_silent(const char *origin);
static void note_silence(const char *origin, TimestampTz started_at, const char *message);
static List *headers_to_sign(const S3Store *store, const S3Call *call, const Credentials *credentials,
							 const char *time, const char *payload_hash);
static List *add_encryption(List *headers, const StoreConnection *connection);
static List *add_header(List *headers, const char *name, const char *value);
static char *payload_hash(const S3Call *call);
static List *header_lines(const List *headers, const char *authorization);
static char *path_of(const S3Store *store, const S3Call *call);

StoreOutcome
deltatx_s3_call(S3Store *store, S3Call *call)
{
	Credentials credentials;
	char		time_text[SIGV4_TIME_SIZE];
	char	   *message;
	char	   *hint;
	SigV4Request signing = {
		.method = call->method,
		.path = path_of(store, call),
		.query = call->query,
		.payload_hash = payload_hash(call),
		.time = time_text,
		.region = store->region,
		.service = SERVICE
	};
	HttpRequest request = {
		.body = call->body,
		.ca_file = store->connection->ca_file,
		.sink = call->sink,
		.sink_arg = call->sink_arg
	};

	if (!deltatx_credentials_find(store->connection, &credentials, &message, &hint))
		return deltatx_s3_fail(store, call, STORE_PERMANENT, message, hint);

	deltatx_sigv4_time(time(NULL), time_text);
	signing.headers = headers_to_sign(store, call, &credentials, time_text, signing.payload_hash);
	request.headers = header_lines(signing.headers,
								   deltatx_sigv4_authorization(&signing, credentials.access_key_id,
															   credentials.secret_access_key));
	request.url = psprintf("%s%s%s%s", store->origin, signing.path,
						   call->query != NIL ? "?" : "", deltatx_sigv4_query(call->query));
	perform(store, &request, &call->response);
	return call->response.status == 200 ? STORE_DONE : deltatx_s3_outcome(store, call);
}

static void
perform(const S3Store *store, const HttpRequest *request, HttpResponse *response)
{
	const SilentHost *silent = find_silent(store->origin);
	TimestampTz started_at = GetCurrentTimestamp();

	if (silent != NULL && silent->until > started_at)
	{
		memset(response, 0, sizeof(HttpResponse));
		memcpy(response->message, silent->message, sizeof(response->message));
		return;
	}

	deltatx_http_perform(request, response);
	if (response->status == 0)
		note_silence(store->origin, started_at, response->message);
}

static SilentHost *
find_silent(const char *origin)
{
	ListCell   *cell;

	foreach(cell, silent_hosts)
	{
		if (strcmp(((SilentHost *) lfirst(cell))->origin, origin) == 0)
			return lfirst(cell);
	}
	return NULL;
}

static void
note_silence(const char *origin, TimestampTz started_at, const char *message)
{
	SilentHost *silent = find_silent(origin);
	TimestampTz now = GetCurrentTimestamp();

	if (silent == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		silent = palloc(sizeof(SilentHost));
		silent->origin = pstrdup(origin);
		silent_hosts = lappend(silent_hosts, silent);
		MemoryContextSwitchTo(caller);
	}
	silent->until = now + (now - started_at);
	memcpy(silent->message, message, sizeof(silent->message));
}

static char *
path_of(const S3Store *store, const S3Call *call)
{
	if (call->on_bucket)
		return psprintf("%s%s", store->root, store->root[0] == '\0' ? "/" : "");
	return psprintf("%s/%s", store->root,
					deltatx_uri_encode(psprintf("%s%s", store->prefix, call->key), true));
}

static char *
payload_hash(const S3Call *call)
{
	char	   *hash = palloc(SIGV4_HASH_SIZE);

	if (call->body != NULL)
		deltatx_sigv4_hex(call->body->sha256, hash);
	else
		deltatx_sigv4_hash("", 0, hash);
	return hash;
}

static List *
headers_to_sign(const S3Store *store, const S3Call *call, const Credentials *credentials,
				const char *time, const char *payload_hash)
{
	List	   *headers = NIL;

	headers = add_header(headers, "host", store->host);
	headers = add_header(headers, "x-amz-content-sha256", payload_hash);
	headers = add_header(headers, "x-amz-date", time);
	if (credentials->session_token != NULL)
		headers = add_header(headers, "x-amz-security-token", credentials->session_token);
	if (call->body != NULL)
	{
		headers = add_header(headers, "if-none-match", "*");
		headers = add_encryption(headers, store->connection);
	}
	return headers;
}

static List *
add_encryption(List *headers, const StoreConnection *connection)
{
	if (connection->sse != NULL)
		headers = add_header(headers, "x-amz-server-side-encryption", connection->sse);
	if (connection->sse_kms_key_id != NULL)
		headers = add_header(headers, "x-amz-server-side-encryption-aws-kms-key-id",
							 connection->sse_kms_key_id);
	return headers;
}

static List *
add_header(List *headers, const char *name, const char *value)
{
	SigV4Pair  *header = palloc(sizeof(SigV4Pair));

	header->name = name;
	header->value = value;
	return lappend(headers, header);
}

static List *
header_lines(const List *headers, const char *authorization)
{
	List	   *lines = list_make1(psprintf("authorization: %s", authorization));
	ListCell   *cell;

	foreach(cell, headers)
	{
		const SigV4Pair *header = lfirst(cell);

		lines = lappend(lines, psprintf("%s: %s", header->name, header->value));
	}
	return lines;
}
