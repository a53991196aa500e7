/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  The mirror's shared memory: who runs where, who is kept away, who is
 *	  to be woken.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SHARED_H
#define DELTATX_SHARED_H

#include "datatype/timestamp.h"
#include "storage/latch.h"

/* Room for "publishing <table> version <n>", table names being up to 191 bytes. */
#define WORKER_DOING_SIZE	256

/* Why a worker ended. */
typedef enum WorkerEnd
{
	WORKER_FAILED,				/* an error, or somebody terminated it */
	WORKER_STOPPED,				/* a command on its database asked for it */
	WORKER_WITHOUT_EXTENSION	/* the extension isn't there, or no longer */
} WorkerEnd;

/* What a worker is told when it is registered (bgw_extra). */
typedef struct WorkerOrder
{
	int			slot;
	uint32		generation;
	Oid			database;
} WorkerOrder;

/* What the launcher learns about a slot. */
typedef struct WorkerReport
{
	Oid			database;
	bool		ended;			/* else it was found running or starting */
	bool		has_extension;
	WorkerEnd	end;
	TimestampTz started_at;
} WorkerReport;

/* What deltatx.status shows of this database's worker. */
typedef struct WorkerStatus
{
	pid_t		pid;
	TimestampTz heartbeat;
	char		doing[WORKER_DOING_SIZE];
} WorkerStatus;

extern void deltatx_shared_init(void);

/* The launcher */
extern int	deltatx_shared_attach_launcher(void);
extern bool deltatx_shared_take_refresh(void);
extern List *deltatx_shared_take_probes(bool *all);
extern List *deltatx_shared_reports(void);
extern bool deltatx_shared_is_blocked(Oid database);
extern bool deltatx_shared_reserve(Oid database, WorkerOrder *order);
extern bool deltatx_shared_withdraw(const WorkerOrder *order);

/* A worker */
extern bool deltatx_shared_attach_worker(const WorkerOrder *order);
extern void deltatx_shared_found_extension(void);
extern void deltatx_shared_will_end(WorkerEnd end);
extern void deltatx_shared_beat(const char *doing);
extern void deltatx_shared_progress(void);
extern uint64 deltatx_shared_horizon_wanted(void);
extern void deltatx_shared_answer_horizon(uint64 ticket);

/* Everybody */
extern void deltatx_shared_wake(Oid database);
extern void deltatx_shared_request_probe(Oid database);
extern void deltatx_shared_block(Oid database);
extern void deltatx_shared_unblock_all(void);
extern void deltatx_shared_prepare_wait(void);
extern bool deltatx_shared_wait_progress(long timeout_ms);
extern void deltatx_shared_end_wait(void);
extern bool deltatx_shared_worker_status(Oid database, WorkerStatus *status);
extern uint64 deltatx_shared_ask_horizon(Oid database);
extern bool deltatx_shared_has_answered(Oid database, uint64 ticket);

#endif							/* DELTATX_SHARED_H */
