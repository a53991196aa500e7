/*-------------------------------------------------------------------------
 *
 * mirror.h
 *	  What the rest of deltatx asks of the mirror.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_MIRROR_H
#define DELTATX_MIRROR_H

/*
 * Called by _PG_init while shared_preload_libraries is processed: requests
 * shared memory, registers the launcher, installs hooks.
 */
extern void deltatx_mirror_init(void);

/* Our shared memory is attached: we were preloaded. */
extern bool deltatx_mirror_is_attached(void);

/*
 * The current transaction, once it commits, has work for this database's
 * worker.  Cheap, may be called repeatedly; forgotten on abort (a wake too
 * many does no harm, so a rolled back savepoint needs no care).
 */
extern void deltatx_mirror_wake_at_commit(void);

/* DROP EXTENSION deltatx is running. */
extern bool deltatx_mirror_is_dropping_extension(void);

#endif							/* DELTATX_MIRROR_H */
