/*-------------------------------------------------------------------------
 *
 * servers.h
 *	  What happens to servers that tables are bound to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_API_SERVERS_H
#define DELTATX_API_SERVERS_H

/* At load: watch renames and drops. */
extern void deltatx_servers_init(void);

#endif							/* DELTATX_API_SERVERS_H */
