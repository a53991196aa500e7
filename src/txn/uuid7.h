/*-------------------------------------------------------------------------
 *
 * uuid7.h
 *	  Identifiers of transactions, tables and files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_UUID7_H
#define DELTATX_UUID7_H

#include "utils/uuid.h"

/* A fresh time-ordered UUID (version 7), so that indexes grow at one end. */
extern void deltatx_uuid_new(pg_uuid_t *result);

/* Its usual text form. */
extern char *deltatx_uuid_text(const pg_uuid_t *uuid);

#endif							/* DELTATX_UUID7_H */
