/*-------------------------------------------------------------------------
 *
 * http.h
 *	  One HTTP request and its answer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_HTTP_H
#define DELTATX_HTTP_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "store/store.h"

#define HTTP_ETAG_SIZE		128
#define HTTP_REGION_SIZE	64
#define HTTP_MESSAGE_SIZE	256

typedef struct HttpRequest
{
	const char *url;			/* encoded as it is to be sent */
	List	   *headers;		/* of char *, "name: value" */
	const StoreBody *body;		/* PUT this; NULL: GET */
	const char *ca_file;		/* NULL: the certificates that the system trusts */

	/* Where the content of a 200 goes; NULL: into the answer. */
	StoreSink	sink;
	void	   *sink_arg;
} HttpRequest;

typedef struct HttpResponse
{
	int			status;			/* 0: no answer, or not all of one; message says why */
	bool		untrusted;		/* no answer because the other side's certificate is not trusted */
	bool		enough;			/* the sink wanted no more */
	char		message[HTTP_MESSAGE_SIZE];
	char		etag[HTTP_ETAG_SIZE];
	char		bucket_region[HTTP_REGION_SIZE];	/* x-amz-bucket-region */
	int			retry_after_ms;
	StringInfoData body;		/* what the sink didn't get, up to a bound */
} HttpResponse;

/*
 * Send the request, wait for the answer.  Raises errors only for interrupts,
 * and what sink and body raise.
 */
extern void deltatx_http_perform(const HttpRequest *request, HttpResponse *response);

#endif							/* DELTATX_HTTP_H */
