/*-------------------------------------------------------------------------
 *
 * controls.h
 *	  The control actions of versions: metaData, protocol, txn, domainMetadata.
 *
 * Everything here is called inside a catalog scope (scope.h).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CONTROLS_H
#define DELTATX_CONTROLS_H

#include "action/action.h"

extern void deltatx_metadata_insert(int64 table_id, int64 version, const MetadataAction *metadata);
extern void deltatx_protocol_insert(int64 table_id, int64 version, const ProtocolAction *protocol);

/* Lists of TxnAction * and DomainAction *. */
extern void deltatx_txns_insert(int64 table_id, int64 version, const List *txns);
extern void deltatx_domains_insert(int64 table_id, int64 version, const List *domains);

/*
 * What a version holds, NULL or NIL when it has none of that kind; in the
 * current memory context.  newest: the newest one at or before the version.
 */
extern MetadataAction *deltatx_metadata_load(int64 table_id, int64 version, bool newest);
extern ProtocolAction *deltatx_protocol_load(int64 table_id, int64 version, bool newest);
extern List *deltatx_txns_load(int64 table_id, int64 version);
extern List *deltatx_domains_load(int64 table_id, int64 version);

/*
 * The newest application version that a table records by txn, -1: none;
 * *version gets the table's version that holds it.
 */
extern int64 deltatx_txn_newest(int64 table_id, const char *app_id, int64 *version);

/* The newest version of a table that holds domainMetadata of a domain; -1: none. */
extern int64 deltatx_domain_newest(int64 table_id, const char *domain);

#endif							/* DELTATX_CONTROLS_H */
