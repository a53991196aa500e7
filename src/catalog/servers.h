/*-------------------------------------------------------------------------
 *
 * servers.h
 *	  The servers that tables are bound to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SERVERS_H
#define DELTATX_SERVERS_H

#include "store/connection.h"

/*
 * The server that covers a new table's location, by name; NULL when there is
 * none.  PermissionDenied unless the role may use it.  It can't be dropped or
 * renamed before the end of the transaction.
 */
extern char *deltatx_server_for(const char *location, const char *table_name, Oid role);

/*
 * How to reach a table's store, with the credentials of the table's owner, in
 * the current memory context.  NULL: not at all; message and hint say why and
 * what to do.
 */
extern StoreConnection *deltatx_server_connection(const char *server_name, const char *owner_name,
												  const char *location, char **message, char **hint);

/* Whether a server is one of ours. */
extern bool deltatx_server_is_ours(Oid server);

/* Follow a rename; the name of a table that is bound to a server, NULL: none.  Inside a catalog scope. */
extern void deltatx_server_rename(const char *old_name, const char *new_name);
extern char *deltatx_server_user(const char *server_name);

#endif							/* DELTATX_SERVERS_H */
