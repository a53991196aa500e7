/*-------------------------------------------------------------------------
 *
 * s3.h
 *	  Between the files of the S3 store.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_S3_H
#define DELTATX_S3_H

#include "store/http.h"
#include "store/store.h"

typedef struct S3Store
{
	Store		base;
	const StoreConnection *connection;
	const char *bucket;
	const char *prefix;			/* of the table's keys, ending in '/' */
	const char *region;
	const char *origin;			/* scheme and host, as in a URL */
	const char *host;
	const char *root;			/* path of the bucket: "/bucket", or nothing */
} S3Store;

/* A request to the bucket, and its answer. */
typedef struct S3Call
{
	const char *action;			/* for messages: what could not be done */
	const char *method;
	const char *key;			/* below the table's location */
	bool		on_bucket;		/* the bucket is meant, the key is for messages only */
	List	   *query;			/* of SigV4Pair */
	const StoreBody *body;		/* put if absent; NULL: none */
	StoreSink	sink;
	void	   *sink_arg;
	HttpResponse response;
} S3Call;

/* s3_request.c */

/*
 * DONE is status 200; DIFFERS that a key is taken, by whatever content; after
 * TRANSIENT and PERMANENT the store's fault is set.
 */
extern StoreOutcome deltatx_s3_call(S3Store *store, S3Call *call);

/* s3_fault.c */

/* Why a call failed, from its answer. */
extern StoreOutcome deltatx_s3_outcome(S3Store *store, const S3Call *call);

/* Note a fault of our own finding. */
extern StoreOutcome deltatx_s3_fail(S3Store *store, const S3Call *call, StoreOutcome outcome,
									const char *reason, const char *hint);

/* s3_list.c */
extern StoreOutcome deltatx_s3_list(Store *store, const char *directory, const char *start,
									StoreLister lister, void *arg);

#endif							/* DELTATX_S3_H */
