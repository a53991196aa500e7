/*-------------------------------------------------------------------------
 *
 * sigv4.h
 *	  AWS Signature Version 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SIGV4_H
#define DELTATX_SIGV4_H

#include <time.h>

#include "nodes/pg_list.h"

/* "YYYYMMDDTHHMMSSZ" and its NUL. */
#define SIGV4_TIME_SIZE		17
#define SIGV4_HASH_SIZE		(64 + 1)

/* A header, its name in lower case; or a parameter of a query, not encoded. */
typedef struct SigV4Pair
{
	const char *name;
	const char *value;
} SigV4Pair;

typedef struct SigV4Request
{
	const char *method;
	const char *path;			/* encoded, from the first '/' */
	List	   *query;			/* of SigV4Pair */
	List	   *headers;		/* of SigV4Pair: those that are signed */
	const char *payload_hash;	/* SHA-256 of the body, in hexadecimal */
	const char *time;			/* as in x-amz-date */
	const char *region;
	const char *service;
} SigV4Request;

/* The value of the Authorization header, in the current memory context. */
extern char *deltatx_sigv4_authorization(const SigV4Request *request,
										 const char *access_key_id,
										 const char *secret_access_key);

/* The query, encoded and in the order in which it is signed. */
extern char *deltatx_sigv4_query(const List *query);

/* A string encoded as a part of a URI; slashes stay when keep_slashes is set. */
extern char *deltatx_uri_encode(const char *text, bool keep_slashes);

extern void deltatx_sigv4_time(time_t at, char *text);
extern void deltatx_sigv4_hash(const void *data, size_t size, char *hexadecimal);
extern void deltatx_sigv4_hex(const uint8 *hash, char *hexadecimal);

#endif							/* DELTATX_SIGV4_H */
