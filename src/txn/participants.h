/*-------------------------------------------------------------------------
 *
 * participants.h
 *	  The tables that a transaction writes or has read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_PARTICIPANTS_H
#define DELTATX_PARTICIPANTS_H

#include "catalog/heads.h"
#include "txn/session.h"

/* A table of the transaction, its head, and what was assumed of it. */
typedef struct Participation
{
	StagedTable *staged;		/* NULL: only read */
	const char *table_name;
	int64		read_version;	/* oldest declared read; NO_VERSION: none */
	TableHead	head;			/* once locked */
} Participation;

typedef struct Participants
{
	OpenTransaction *transaction;
	int			n;
	Participation *tables;		/* by table_id */
	int			n_written;
} Participants;

/* All of them, in the current memory context. */
extern Participants *deltatx_participants_of(OpenTransaction *transaction);

/*
 * Lock the heads of those that are written and of those that are only read.
 * Raises TableNotFound for a table that was dropped, and the refusals of a
 * table's state.  Inside a catalog scope, as the next one.
 */
extern void deltatx_participants_lock(Participants *participants, HeadLock write, HeadLock read);

/* Raise what stands between the transaction and its commit. */
extern void deltatx_participants_validate(const Participants *participants);

#endif							/* DELTATX_PARTICIPANTS_H */
