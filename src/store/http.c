/*-------------------------------------------------------------------------
 *
 * http.c
 *	  One HTTP request and its answer, over libcurl.
 *
 * libcurl does connections, TLS, proxies and HTTP, and nothing else: requests
 * come here signed (sigv4.c says why), redirects are answers like others, and
 * what an answer means is the caller's business.
 *
 * PostgreSQL's errors and signals don't mix with a library that knows neither:
 *
 *	- An error is a longjmp, which must not pass through libcurl's frames.  So
 *	  the callbacks catch what sink and body raise, tell libcurl to give up,
 *	  and the error is thrown on when libcurl has returned.
 *
 *	- libcurl looks names up in a thread of its own.  A signal handler of
 *	  PostgreSQL must not run there, so signals are blocked whenever libcurl
 *	  runs; a thread inherits that.  While we wait, no thread is created, and
 *	  they are let in: hence the multi interface, for one transfer.  Between
 *	  two steps of a transfer interrupts are served, and it may end there.
 *
 * A success needs a proof: an answer that is cut off within its headers, or
 * before the end of a body that has no length, looks like a complete one to
 * libcurl (seen in 7.88).  So the blank line after the headers must have come,
 * and then as many bytes as Content-Length says, or a last chunk.
 *
 * Connections stay open between requests, in the multi handle.  They are used
 * again only for the same host, port and certificates.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/pmsignal.h"

#include "compat.h"
#include "deltatx.h"
#include "store/http.h"

/* Longest wait without a look at interrupts that came just before it. */
#define POLL_MS			200

/* What is kept of an answer: a page of a listing has at most 1000 keys of 1024 bytes. */
#define ANSWER_MAX		(16 * 1024 * 1024)

/* A pause that a store may ask for. */
#define RETRY_AFTER_MAX	3600

typedef struct Transfer
{
	const HttpRequest *request;
	HttpResponse *response;
	struct curl_slist *headers;
	CURLcode	code;
	int			status;			/* of the last status line */
	bool		headers_complete;
	bool		chunked;
	int64		announced;		/* Content-Length; -1: none */
	int64		received;
	int64		sent;
	bool		more;			/* what was received is wanted */
	bool		thrown;			/* an error waits on the error stack */
	char		error[CURL_ERROR_SIZE];
} Transfer;

static CURLM *connections;
static CURL *easy;

static void attach(void);
static void add_headers(Transfer *transfer);
static bool add_header(Transfer *transfer, const char *line);
static void set_options(Transfer *transfer);
static void set_body(Transfer *transfer);
static CURLcode run(Transfer *transfer);
static void perform_blocked(int *running);
static CURLcode result_of_transfer(void);
static void conclude(Transfer *transfer);
static bool is_proven(const Transfer *transfer);
static size_t take_header(char *line, size_t size, size_t count, void *arg);
static bool header_value(const char *line, size_t length, const char *name,
						 char *value, size_t size);
static size_t take_body(char *data, size_t size, size_t count, void *arg);
static bool keep(Transfer *transfer, const char *data, size_t size);
static size_t give_body(char *buffer, size_t size, size_t count, void *arg);
static int	rewind_body(void *arg, curl_off_t offset, int origin);

void
deltatx_http_perform(const HttpRequest *request, HttpResponse *response)
{
	Transfer	transfer = {.request = request, .response = response, .announced = -1};

	memset(response, 0, sizeof(HttpResponse));
	initStringInfo(&response->body);
	attach();

	PG_TRY();
	{
		add_headers(&transfer);
		set_options(&transfer);
		transfer.code = run(&transfer);
	}
	PG_FINALLY();
	{
		(void) curl_multi_remove_handle(connections, easy);
		curl_slist_free_all(transfer.headers);
	}
	PG_END_TRY();

	conclude(&transfer);
}

/* Only processes that talk to stores initialize libcurl. */
static void
attach(void)
{
	if (easy != NULL)
		return;
	if (connections == NULL)
	{
		if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
			elog(ERROR, "could not initialize libcurl");
		connections = curl_multi_init();
	}
	if (connections != NULL)
		easy = curl_easy_init();
	if (easy == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

/*
 * "Expect: 100-continue" would make each PUT wait for an answer to its
 * headers; what libcurl adds by itself must not be there, unsigned.
 */
static void
add_headers(Transfer *transfer)
{
	bool		added = add_header(transfer, "Expect:");
	ListCell   *cell;

	foreach(cell, transfer->request->headers)
		added = added && add_header(transfer, lfirst(cell));
	if (!added)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

static bool
add_header(Transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (longer != NULL)
		transfer->headers = longer;
	return longer != NULL;
}

static void
set_options(Transfer *transfer)
{
	const HttpRequest *request = transfer->request;

	curl_easy_reset(easy);
	if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK)
		elog(ERROR, "could not set up a request");

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) deltatx_store_connect_timeout);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) deltatx_store_timeout);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	if (request->ca_file != NULL)
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
	if (request->body != NULL)
		set_body(transfer);
}

static void
set_body(Transfer *transfer)
{
	const StoreBody *body = transfer->request->body;

	body->rewind(body->arg);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) body->length);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
}

/* Until the transfer has ended. */
static CURLcode
run(Transfer *transfer)
{
	uint32		wait_event = deltatx_wait_event("DeltatxStoreRequest");
	int			running = 1;

	if (curl_multi_add_handle(connections, easy) != CURLM_OK)
		elog(ERROR, "could not start a transfer");

	for (;;)
	{
		perform_blocked(&running);
		if (transfer->thrown)
			PG_RE_THROW();
		if (running == 0)
			return result_of_transfer();

		CHECK_FOR_INTERRUPTS();
		if (!PostmasterIsAlive())
			proc_exit(1);
		pgstat_report_wait_start(wait_event);
		(void) curl_multi_poll(connections, NULL, 0, POLL_MS, NULL);
		pgstat_report_wait_end();
	}
}

static void
perform_blocked(int *running)
{
	sigset_t	mask;
	CURLMcode	code;

	sigprocmask(SIG_SETMASK, &BlockSig, &mask);
	code = curl_multi_perform(connections, running);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (code != CURLM_OK)
		elog(ERROR, "could not go on with a transfer: %s", curl_multi_strerror(code));
}

static CURLcode
result_of_transfer(void)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(connections, &left)) != NULL)
	{
		if (message->msg == CURLMSG_DONE && message->easy_handle == easy)
			return message->data.result;
	}
	elog(ERROR, "a transfer has ended without a result");
}

/*
 * A refusal counts although the connection failed afterwards: a server need
 * not read a body that it does not want.
 */
static void
conclude(Transfer *transfer)
{
	HttpResponse *response = transfer->response;
	bool		refused = transfer->headers_complete && transfer->status >= 300;
	CURLcode	code = transfer->code;

	if (response->enough || refused || (code == CURLE_OK && is_proven(transfer)))
	{
		response->status = transfer->status;
		return;
	}

	response->untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
	if (code == CURLE_OK)
		strlcpy(response->message, "the answer was cut off", sizeof(response->message));
	else
		strlcpy(response->message, transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code),
				sizeof(response->message));
}

static bool
is_proven(const Transfer *transfer)
{
	if (!transfer->headers_complete)
		return false;
	return transfer->announced >= 0 ? transfer->received == transfer->announced :
		transfer->chunked || transfer->status == 204;
}

/* One line, which is not terminated by a NUL. */
static size_t
take_header(char *line, size_t size, size_t count, void *arg)
{
	Transfer   *transfer = arg;
	HttpResponse *response = transfer->response;
	size_t		length = size * count;
	char		value[32];

	if (length > 9 && strncmp(line, "HTTP/", 5) == 0)
	{
		/* Another one may have come before, such as 100 Continue. */
		const char *space = memchr(line, ' ', length);

		transfer->status = space != NULL && line + length - space > 3 ? atoi(space) : 0;
		transfer->headers_complete = false;
		transfer->announced = -1;
		transfer->chunked = false;
	}
	else if (length <= 2 && (line[0] == '\r' || line[0] == '\n'))
		transfer->headers_complete = transfer->status >= 200;
	else if (header_value(line, length, "content-length", value, sizeof(value)))
		transfer->announced = strtoll(value, NULL, 10);
	else if (header_value(line, length, "transfer-encoding", value, sizeof(value)))
		transfer->chunked = pg_strcasecmp(value, "chunked") == 0;
	else if (header_value(line, length, "retry-after", value, sizeof(value)))
		response->retry_after_ms = 1000 * Max(0, Min(RETRY_AFTER_MAX, atoi(value)));
	else if (!header_value(line, length, "etag", response->etag, HTTP_ETAG_SIZE))
		(void) header_value(line, length, "x-amz-bucket-region",
							response->bucket_region, HTTP_REGION_SIZE);
	return length;
}

/* Whether the line has that name; then its value, without spaces around it, cut to the size. */
static bool
header_value(const char *line, size_t length, const char *name, char *value, size_t size)
{
	size_t		name_length = strlen(name);
	const char *start = line + name_length + 1;
	const char *end = line + length;

	if (length <= name_length || line[name_length] != ':' ||
		pg_strncasecmp(line, name, name_length) != 0)
		return false;

	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (unsigned char) end[-1] <= ' ')
		end--;
	strlcpy(value, start, Min(size, (size_t) (end - start) + 1));
	return true;
}

/* Any result but the size ends the transfer. */
static size_t
take_body(char *data, size_t size, size_t count, void *arg)
{
	Transfer   *transfer = arg;
	const HttpRequest *request = transfer->request;

	transfer->received += size * count;
	transfer->more = false;
	PG_TRY();
	{
		if (request->sink != NULL && transfer->status == 200)
		{
			transfer->more = request->sink(data, size * count, request->sink_arg);
			transfer->response->enough = !transfer->more;
		}
		else
			transfer->more = keep(transfer, data, size * count);
	}
	PG_CATCH();
	{
		transfer->thrown = true;
	}
	PG_END_TRY();
	return transfer->more ? size * count : 0;
}

static bool
keep(Transfer *transfer, const char *data, size_t size)
{
	StringInfo	body = &transfer->response->body;

	if (body->len + size > ANSWER_MAX)
	{
		strlcpy(transfer->error, "the answer is too long", sizeof(transfer->error));
		return false;
	}
	appendBinaryStringInfo(body, data, size);
	return true;
}

static size_t
give_body(char *buffer, size_t size, size_t count, void *arg)
{
	Transfer   *transfer = arg;
	const StoreBody *body = transfer->request->body;
	volatile size_t given = 0;

	PG_TRY();
	{
		given = body->read(body->arg, buffer, Min(size * count, (size_t) (body->length - transfer->sent)));
		if (given == 0 && transfer->sent < body->length)
			elog(ERROR, "a spooled file is shorter than it was");
	}
	PG_CATCH();
	{
		transfer->thrown = true;
	}
	PG_END_TRY();

	transfer->sent += given;
	return transfer->thrown ? CURL_READFUNC_ABORT : given;
}

/* To send the body again, when a connection that was kept open turns out to be dead. */
static int
rewind_body(void *arg, curl_off_t offset, int origin)
{
	Transfer   *transfer = arg;
	const StoreBody *body = transfer->request->body;

	if (offset != 0 || origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	PG_TRY();
	{
		body->rewind(body->arg);
		transfer->sent = 0;
	}
	PG_CATCH();
	{
		transfer->thrown = true;
	}
	PG_END_TRY();
	return transfer->thrown ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}
