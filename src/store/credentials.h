/*-------------------------------------------------------------------------
 *
 * credentials.h
 *	  The keys that requests to AWS and the like are signed with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CREDENTIALS_H
#define DELTATX_CREDENTIALS_H

#include "store/connection.h"

typedef struct Credentials
{
	const char *access_key_id;
	const char *secret_access_key;
	const char *session_token;	/* NULL: none */
} Credentials;

/*
 * From the mapping, from the file that it names, or from the environment, in
 * the current memory context.  False: there are none; then message and hint
 * say why and what to do.
 */
extern bool deltatx_credentials_find(const StoreConnection *connection, Credentials *credentials,
									 char **message, char **hint);

#endif							/* DELTATX_CREDENTIALS_H */
