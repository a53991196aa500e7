/*-------------------------------------------------------------------------
 *
 * server_options.h
 *	  The options of servers and user mappings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SERVER_OPTIONS_H
#define DELTATX_SERVER_OPTIONS_H

#include "nodes/pg_list.h"

/*
 * Check the options (of DefElem *) of an object of that catalog, as a whole,
 * for the current user.
 */
extern void deltatx_server_options_check(const List *options, Oid catalog);

/* The value of an option; NULL where it is not set. */
extern const char *deltatx_server_option(const List *options, const char *name);

/* The same for a boolean, false where it is not set. */
extern bool deltatx_server_flag(const List *options, const char *name);

/* Whether a location lies at or within that of a server: the length of the latter, else 0. */
extern size_t deltatx_server_covers(const List *options, const char *location);

#endif							/* DELTATX_SERVER_OPTIONS_H */
