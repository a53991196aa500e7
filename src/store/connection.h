/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  How to reach a store: the options of a server and of a user mapping.
 *
 * Plain values, so that what is below needs no PostgreSQL catalogs.  NULL is
 * for an option that is not set.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CONNECTION_H
#define DELTATX_CONNECTION_H

typedef struct StoreConnection
{
	const char *server_name;	/* for hints */
	const char *endpoint;		/* NULL: that of AWS in the region */
	const char *region;
	const char *path_style;		/* boolean; NULL: what suits the endpoint */
	const char *ca_file;
	const char *sse;
	const char *sse_kms_key_id;
	bool		platform_identity;	/* the environment's credentials may be used */

	/* Of the mapping; none of the first five is set: there is no mapping. */
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;
	const char *profile;
	const char *credentials_file;
} StoreConnection;

#endif							/* DELTATX_CONNECTION_H */
