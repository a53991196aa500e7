/*-------------------------------------------------------------------------
 *
 * s3_fault.c
 *	  What S3 says when it doesn't do what it was asked.
 *
 * The code in the body of an error decides, where there is one, else the
 * status.  What passes by itself is transient; what somebody has to mend is
 * permanent, and the hint says what.
 *
 * Nothing else of an error's body is shown: it repeats the request with its
 * signature, and a store that we know nothing of could repeat a token.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "store/s3.h"
#include "store/xml.h"

#define CODE_SIZE	64

typedef struct KnownError
{
	const char *code;
	StoreOutcome outcome;
	const char *hint;			/* %s: the server's name, at most once; NULL: none */
} KnownError;

static const KnownError known_errors[] = {
	{"NoSuchKey", STORE_MISSING, NULL},
	{"PreconditionFailed", STORE_DIFFERS, NULL},
	{"ConditionalRequestConflict", STORE_TRANSIENT, NULL},
	{"OperationAborted", STORE_TRANSIENT, NULL},
	{"RequestTimeout", STORE_TRANSIENT, NULL},
	{"SlowDown", STORE_TRANSIENT, NULL},
	{"SignatureDoesNotMatch", STORE_PERMANENT,
	"Correct secret_access_key in the user mapping of server \"%s\"."},
	{"InvalidAccessKeyId", STORE_PERMANENT,
	"Correct access_key_id in the user mapping of server \"%s\"."},
	{"ExpiredToken", STORE_PERMANENT,
	"Put a new session_token and its keys into the user mapping of server \"%s\"."},
	{"InvalidToken", STORE_PERMANENT,
	"Correct session_token in the user mapping of server \"%s\", or remove it."},
	{"RequestTimeTooSkewed", STORE_PERMANENT, "Set the clock of this machine."},
	{"AccessDenied", STORE_PERMANENT,
	"Allow the key in the user mapping of server \"%s\" to list the bucket, and to read and write objects below the location."},
	{"NoSuchBucket", STORE_PERMANENT,
	"Create the bucket, or correct option location of server \"%s\" and the table's location."},
	{"PermanentRedirect", STORE_PERMANENT, "Set option region of server \"%s\" to the bucket's region."},
	{"TemporaryRedirect", STORE_TRANSIENT, NULL},
	{"AuthorizationHeaderMalformed", STORE_PERMANENT,
	"Set option region of server \"%s\" to the bucket's region."},
	{"NotImplemented", STORE_PERMANENT,
	"Use a store that honours the header If-None-Match of PUT requests."},
};

static void read_code(const S3Call *call, char *code);
static void take_element(const char *path, const char *text, void *arg);
static StoreOutcome unanswered(S3Store *store, const S3Call *call);
static const KnownError *find_known(const char *code);
static StoreOutcome outcome_of_status(int status);
static const char *hint_of_status(int status);
static char *hint_of_region(const S3Store *store, const char *region);
static bool is_region(const char *region);

StoreOutcome
deltatx_s3_outcome(S3Store *store, const S3Call *call)
{
	const HttpResponse *response = &call->response;
	char		code[CODE_SIZE] = "";
	const KnownError *known;
	StoreOutcome outcome;
	const char *hint;

	if (response->status == 0)
		return unanswered(store, call);

	read_code(call, code);
	known = find_known(code);
	outcome = known != NULL ? known->outcome : outcome_of_status(response->status);
	hint = known != NULL ? known->hint : hint_of_status(response->status);
	if (outcome == STORE_PERMANENT && is_region(response->bucket_region) &&
		strcmp(response->bucket_region, store->region) != 0)
		hint = hint_of_region(store, response->bucket_region);
	else if (hint != NULL)
		hint = psprintf(hint, store->connection->server_name);
	return deltatx_s3_fail(store, call, outcome,
						   psprintf("HTTP status %d%s%s", response->status, code[0] != '\0' ? ", " : "", code),
						   hint);
}

StoreOutcome
deltatx_s3_fail(S3Store *store, const S3Call *call, StoreOutcome outcome,
				const char *reason, const char *hint)
{
	StoreFault *fault = &store->base.fault;

	fault->object = psprintf("%s/%s", store->base.location, call->key);
	fault->message = psprintf("could not %s \"%s\": %s", call->action, fault->object, reason);
	fault->hint = hint != NULL ? pstrdup(hint) : NULL;
	fault->retry_after_ms = call->response.retry_after_ms;
	return outcome;
}

static StoreOutcome
unanswered(S3Store *store, const S3Call *call)
{
	const char *server = store->connection->server_name;

	if (call->response.untrusted)
		return deltatx_s3_fail(store, call, STORE_PERMANENT, call->response.message,
							   psprintf("Set option ca_file of server \"%s\" to a file with the certificate authority of the store.", server));
	return deltatx_s3_fail(store, call, STORE_TRANSIENT, call->response.message,
						   psprintf("Check that this machine reaches the store, and option endpoint of server \"%s\".", server));
}

/* Empty when there is none; letters and digits, as it goes into messages. */
static void
read_code(const S3Call *call, char *code)
{
	const StringInfo body = (StringInfo) &call->response.body;

	(void) deltatx_xml_read(body->data, body->len, take_element, code);
	if (code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.")] != '\0')
		code[0] = '\0';
}

static void
take_element(const char *path, const char *text, void *arg)
{
	if (strcmp(path, "Error/Code") == 0)
		strlcpy(arg, text, CODE_SIZE);
}

static const KnownError *
find_known(const char *code)
{
	for (int i = 0; i < lengthof(known_errors); i++)
	{
		if (strcmp(known_errors[i].code, code) == 0)
			return &known_errors[i];
	}
	return NULL;
}

static StoreOutcome
outcome_of_status(int status)
{
	switch (status)
	{
		case 412:
			return STORE_DIFFERS;
		case 408:
		case 409:
		case 429:
			return STORE_TRANSIENT;
		case 501:
			return STORE_PERMANENT;
		default:
			return status >= 500 || status < 300 ? STORE_TRANSIENT : STORE_PERMANENT;
	}
}

static const char *
hint_of_status(int status)
{
	switch (status)
	{
		case 301:
		case 302:
		case 307:
		case 308:
			return "Set options region and endpoint of server \"%s\" to where the bucket is; redirects are not followed.";
		case 403:
			return "Check the user mapping of server \"%s\", and what its key is allowed.";
		case 404:
			return "Check that the bucket exists, and options endpoint and path_style of server \"%s\".";
		default:
			return NULL;
	}
}

static char *
hint_of_region(const S3Store *store, const char *region)
{
	return psprintf("Set option region of server \"%s\" to '%s', where the bucket is.",
					store->connection->server_name, region);
}

static bool
is_region(const char *region)
{
	return region[0] != '\0' && region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}
