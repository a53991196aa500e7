/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  The mirror's shared memory: who runs where, who is kept away, who is
 *	  to be woken.
 *
 * Nothing here needs to survive: it is rebuilt from pg_database and the
 * catalogs after every restart and after the reinitialization that follows a
 * crashed backend.  So slots hold only what concerns living processes.
 *
 * The life of a slot: the launcher reserves it (STARTING) and registers a
 * background worker with the slot's number and generation; the worker attaches
 * (RUNNING); whatever way the worker ends, its exit callback says so (ENDED);
 * the launcher collects that and frees the slot.  A worker that comes so late
 * that its slot was withdrawn finds another generation and goes away.
 *
 * Blocks keep workers away from a database while a command needs to be alone
 * in it.  The races, with L the launcher, W a worker, B the blocking backend:
 *
 *	- L has registered W, but W didn't attach yet: B need not wait, since W
 *	  looks for blocks in the same critical section in which it attaches, and
 *	  before it connects.
 *	- W is connected: B sends SIGTERM under the lock that W's exit callback
 *	  takes, so the pid is W's, and waits for the callback.  It runs after W
 *	  has left the array of processes, hence after CountOtherDBBackends has
 *	  forgotten it.
 *	- B fails, or is terminated: the end of its transaction lifts its blocks.
 *	- B crashes: shared memory starts anew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "mirror/mirror.h"
#include "mirror/shared.h"
#include "txn/stamp.h"

/* Databases of which a probe is asked for; when there are more, all are probed. */
#define MAX_PROBES	32

/* Crashes are counted as long as one follows the other within this time. */
#define CRASH_MEMORY_MS	600000

/* A worker that didn't attach by then never will: its launcher died in between. */
#define ATTACH_TIMEOUT_MS	60000

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_STARTING,
	SLOT_RUNNING,
	SLOT_ENDED
} SlotState;

typedef struct WorkerSlot
{
	SlotState	state;
	WorkerEnd	end;			/* why, when it ended or will end */
	uint32		generation;
	Oid			database;
	bool		has_extension;	/* the worker has seen it */
	pid_t		pid;
	Latch	   *latch;
	TimestampTz started_at;
	TimestampTz heartbeat;
	uint64		horizons_asked; /* how often somebody asked for a fresh horizon */
	uint64		horizons_answered;	/* how many of these are answered */
	char		doing[WORKER_DOING_SIZE];
} WorkerSlot;

typedef struct DatabaseBlock
{
	pid_t		pid;			/* who blocks; 0: free */
	Oid			database;
} DatabaseBlock;

typedef struct MirrorShared
{
	LWLock	   *lock;			/* protects all of this but the next two */
	pg_atomic_uint64 stamp_floor;	/* see txn/stamp.c */
	ConditionVariable progress; /* versions were recorded, or a worker ended */
	Latch	   *launcher;
	int			crashes;		/* see count_crash */
	bool		refresh;		/* databases may have come or gone */
	bool		probe_all;
	int			n_probes;
	Oid			probes[MAX_PROBES];
	int			n_slots;
	WorkerSlot *slots;
	int			n_blocks;
	DatabaseBlock *blocks;
} MirrorShared;

static MirrorShared *shared;
static WorkerSlot *my_slot;
static uint32 my_generation;
static bool have_blocks;
static shmem_request_hook_type previous_request_hook;
static shmem_startup_hook_type previous_startup_hook;

static void request_memory(void);
static Size memory_size(void);
static void startup_memory(void);
static void initialize(void);
static int	count_crash(void);
static void detach_launcher(int code, Datum arg);
static void detach_worker(int code, Datum arg);
static void wake_launcher(void);
static WorkerSlot *running_slot(Oid database);
static bool blocked(Oid database);
static void add_block(Oid database);
static int	stop_workers(Oid database);
static bool is_overdue(const WorkerSlot *slot);
static void fill_report(WorkerReport *report, const WorkerSlot *slot);

void
deltatx_shared_init(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_memory;
}

bool
deltatx_mirror_is_attached(void)
{
	return shared != NULL;
}

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(memory_size());
	RequestNamedLWLockTranche("deltatx", 1);
}

static Size
memory_size(void)
{
	Size		size = MAXALIGN(sizeof(MirrorShared));

	size = add_size(size, MAXALIGN(mul_size(max_worker_processes, sizeof(WorkerSlot))));
	return add_size(size, mul_size(MaxBackends, sizeof(DatabaseBlock)));
}

static void
startup_memory(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("deltatx mirror", memory_size(), &found);
	if (!found)
		initialize();
	LWLockRelease(AddinShmemInitLock);
	deltatx_stamp_attach(&shared->stamp_floor);
}

static void
initialize(void)
{
	memset(shared, 0, memory_size());
	shared->lock = &GetNamedLWLockTranche("deltatx")->lock;
	pg_atomic_init_u64(&shared->stamp_floor, 0);
	ConditionVariableInit(&shared->progress);
	shared->crashes = count_crash();
	shared->refresh = true;
	shared->n_slots = max_worker_processes;
	shared->slots = (WorkerSlot *) ((char *) shared + MAXALIGN(sizeof(MirrorShared)));
	shared->n_blocks = MaxBackends;
	shared->blocks = (DatabaseBlock *)
		((char *) shared->slots + MAXALIGN(max_worker_processes * sizeof(WorkerSlot)));
}

/*
 * How often the server has crashed lately.  After a crash shared memory is
 * initialized again by the same postmaster, whose own memory remembers.
 */
static int
count_crash(void)
{
	static TimestampTz last;
	static int	crashes;
	TimestampTz now = GetCurrentTimestamp();

	if (last == 0 || TimestampDifferenceExceeds(last, now, CRASH_MEMORY_MS))
		crashes = 0;
	else
		crashes++;
	last = now;
	return crashes;
}

/*
 * The launcher
 */

/* Returns how often the server has crashed lately. */
int
deltatx_shared_attach_launcher(void)
{
	on_shmem_exit(detach_launcher, 0);
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->launcher = MyLatch;
	shared->refresh = true;
	LWLockRelease(shared->lock);
	return shared->crashes;
}

static void
detach_launcher(int code, Datum arg)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->launcher = NULL;
	LWLockRelease(shared->lock);
}

/* Whether the list of databases should be read again; asked once, answered once. */
bool
deltatx_shared_take_refresh(void)
{
	bool		result;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	result = shared->refresh;
	shared->refresh = false;
	LWLockRelease(shared->lock);
	return result;
}

/* Databases of which a probe was asked for since the last call. */
List *
deltatx_shared_take_probes(bool *all)
{
	Oid			probes[MAX_PROBES];
	int			n_probes;
	List	   *result = NIL;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	*all = shared->probe_all;
	n_probes = shared->n_probes;
	memcpy(probes, shared->probes, n_probes * sizeof(Oid));
	shared->probe_all = false;
	shared->n_probes = 0;
	LWLockRelease(shared->lock);

	for (int i = 0; i < n_probes; i++)
		result = lappend_oid(result, probes[i]);
	return result;
}

/* A report on every slot that isn't free; the ended ones become free. */
List *
deltatx_shared_reports(void)
{
	WorkerReport *reports = palloc(shared->n_slots * sizeof(WorkerReport));
	int			n_reports = 0;
	List	   *result = NIL;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots; i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (is_overdue(slot))
			slot->state = SLOT_ENDED;
		if (slot->state == SLOT_FREE)
			continue;
		fill_report(&reports[n_reports++], slot);
		if (slot->state == SLOT_ENDED)
			slot->state = SLOT_FREE;
	}
	LWLockRelease(shared->lock);

	for (int i = 0; i < n_reports; i++)
		result = lappend(result, &reports[i]);
	return result;
}

static bool
is_overdue(const WorkerSlot *slot)
{
	return slot->state == SLOT_STARTING &&
		TimestampDifferenceExceeds(slot->started_at, GetCurrentTimestamp(), ATTACH_TIMEOUT_MS);
}

static void
fill_report(WorkerReport *report, const WorkerSlot *slot)
{
	report->database = slot->database;
	report->ended = slot->state == SLOT_ENDED;
	report->has_extension = slot->has_extension;
	report->end = slot->end;
	report->started_at = slot->started_at;
}

bool
deltatx_shared_is_blocked(Oid database)
{
	bool		result;

	LWLockAcquire(shared->lock, LW_SHARED);
	result = blocked(database);
	LWLockRelease(shared->lock);
	return result;
}

/* Caller holds the lock. */
static bool
blocked(Oid database)
{
	for (int i = 0; i < shared->n_blocks; i++)
	{
		if (shared->blocks[i].pid != 0 && shared->blocks[i].database == database)
			return true;
	}
	return false;
}

/* Take a slot for a worker of this database; false when all are taken. */
bool
deltatx_shared_reserve(Oid database, WorkerOrder *order)
{
	bool		reserved = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots && !reserved; i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (slot->state != SLOT_FREE)
			continue;
		slot->state = SLOT_STARTING;
		slot->end = WORKER_FAILED;
		slot->generation++;
		slot->database = database;
		slot->has_extension = false;
		slot->pid = 0;
		slot->latch = NULL;
		slot->started_at = slot->heartbeat = GetCurrentTimestamp();
		slot->horizons_asked = slot->horizons_answered = 0;
		slot->doing[0] = '\0';

		order->slot = i;
		order->generation = slot->generation;
		order->database = database;
		reserved = true;
	}
	LWLockRelease(shared->lock);
	return reserved;
}

/* Give a slot back whose worker will not come; false: it came. */
bool
deltatx_shared_withdraw(const WorkerOrder *order)
{
	WorkerSlot *slot = &shared->slots[order->slot];
	bool		withdrawn;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	withdrawn = slot->generation == order->generation && slot->state == SLOT_STARTING;
	if (withdrawn)
		slot->state = SLOT_FREE;
	LWLockRelease(shared->lock);
	return withdrawn;
}

/*
 * A worker
 */

/*
 * Take the slot that the launcher reserved.  False: withdrawn, or a command
 * wants to be alone in the database.
 *
 * To be called before connecting to the database.  Exit callbacks run in
 * reverse order, and the one that takes this process out of the process array
 * is registered when connecting: so ours runs after it, and who waits for the
 * slot to end finds the database without us.
 */
bool
deltatx_shared_attach_worker(const WorkerOrder *order)
{
	WorkerSlot *slot = &shared->slots[order->slot];
	bool		ours;

	on_shmem_exit(detach_worker, 0);

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	ours = slot->state == SLOT_STARTING && slot->generation == order->generation;
	if (ours)
	{
		slot->state = SLOT_RUNNING;
		slot->pid = MyProcPid;
		slot->latch = MyLatch;
		slot->heartbeat = GetCurrentTimestamp();
		my_slot = slot;
		my_generation = order->generation;
		if (blocked(order->database))
		{
			slot->end = WORKER_STOPPED;
			ours = false;
		}
	}
	LWLockRelease(shared->lock);
	return ours;
}

static void
detach_worker(int code, Datum arg)
{
	if (my_slot == NULL)
		return;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	if (my_slot->generation == my_generation && my_slot->pid == MyProcPid)
	{
		my_slot->state = SLOT_ENDED;
		my_slot->pid = 0;
		my_slot->latch = NULL;
	}
	wake_launcher();
	LWLockRelease(shared->lock);
	my_slot = NULL;

	ConditionVariableBroadcast(&shared->progress);
}

/* Tell the launcher that this is a database with work, and not a probe that will soon end. */
void
deltatx_shared_found_extension(void)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->has_extension = true;
	wake_launcher();
	LWLockRelease(shared->lock);
}

/* Why this worker is about to exit. */
void
deltatx_shared_will_end(WorkerEnd end)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->end = end;
	LWLockRelease(shared->lock);
}

/* This worker is alive, and what it is at. */
void
deltatx_shared_beat(const char *doing)
{
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->heartbeat = now;
	strlcpy(my_slot->doing, doing, sizeof(my_slot->doing));
	LWLockRelease(shared->lock);
}

/* Up to which ticket a horizon is asked for; 0: all are answered. */
uint64
deltatx_shared_horizon_wanted(void)
{
	uint64		ticket;

	LWLockAcquire(shared->lock, LW_SHARED);
	ticket = my_slot->horizons_asked > my_slot->horizons_answered ? my_slot->horizons_asked : 0;
	LWLockRelease(shared->lock);
	return ticket;
}

void
deltatx_shared_answer_horizon(uint64 ticket)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	my_slot->horizons_answered = ticket;
	LWLockRelease(shared->lock);
	ConditionVariableBroadcast(&shared->progress);
}

/* Versions were recorded: whoever waits for one should look. */
void
deltatx_shared_progress(void)
{
	ConditionVariableBroadcast(&shared->progress);
}

/*
 * Everybody
 */

/*
 * Wake the worker of a database; where there is none, let the launcher see
 * whether there should be one.
 */
void
deltatx_shared_wake(Oid database)
{
	WorkerSlot *slot;

	LWLockAcquire(shared->lock, LW_SHARED);
	slot = running_slot(database);
	if (slot != NULL)
		SetLatch(slot->latch);
	LWLockRelease(shared->lock);

	if (slot == NULL)
		deltatx_shared_request_probe(database);
}

/* Caller holds the lock.  NULL: no worker runs. */
static WorkerSlot *
running_slot(Oid database)
{
	for (int i = 0; i < shared->n_slots; i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (slot->state == SLOT_RUNNING && slot->database == database)
			return slot;
	}
	return NULL;
}

/* Let the launcher see whether this database has the extension. */
void
deltatx_shared_request_probe(Oid database)
{
	bool		known = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_probes && !known; i++)
		known = shared->probes[i] == database;
	if (!known && shared->n_probes < MAX_PROBES)
		shared->probes[shared->n_probes++] = database;
	else if (!known)
		shared->probe_all = true;
	wake_launcher();
	LWLockRelease(shared->lock);
}

/* Caller holds the lock, so that the launcher can't go away meanwhile. */
static void
wake_launcher(void)
{
	if (shared->launcher != NULL)
		SetLatch(shared->launcher);
}

/*
 * Keep workers away from a database until the current transaction ends, and
 * wait until the one that is there is gone.
 */
void
deltatx_shared_block(Oid database)
{
	have_blocks = true;
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	add_block(database);
	LWLockRelease(shared->lock);

	ConditionVariablePrepareToSleep(&shared->progress);
	while (stop_workers(database) > 0)
		ConditionVariableSleep(&shared->progress, deltatx_wait_event("DeltatxWorkerStop"));
	ConditionVariableCancelSleep();
}

/* Caller holds the lock. */
static void
add_block(Oid database)
{
	for (int i = 0; i < shared->n_blocks; i++)
	{
		if (shared->blocks[i].pid == 0)
		{
			shared->blocks[i].pid = MyProcPid;
			shared->blocks[i].database = database;
			return;
		}
	}

	LWLockRelease(shared->lock);
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("too many commands at once need a database without its deltatx worker")));
}

/* Ask the database's workers to end; how many are still there. */
static int
stop_workers(Oid database)
{
	int			n = 0;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_slots; i++)
	{
		WorkerSlot *slot = &shared->slots[i];

		if (slot->state != SLOT_RUNNING || slot->database != database)
			continue;
		n++;
		if (slot->end != WORKER_STOPPED)
		{
			slot->end = WORKER_STOPPED;
			kill(slot->pid, SIGTERM);
		}
	}
	LWLockRelease(shared->lock);
	return n;
}

/* At the end of every transaction: lift this backend's blocks. */
void
deltatx_shared_unblock_all(void)
{
	if (!have_blocks)
		return;
	have_blocks = false;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < shared->n_blocks; i++)
	{
		if (shared->blocks[i].pid == MyProcPid)
			shared->blocks[i].pid = 0;
	}
	shared->refresh = true;
	wake_launcher();
	LWLockRelease(shared->lock);
}

/*
 * Wait for progress: prepare, look whether what you wait for is there, wait,
 * look again ..., end.  What is recorded between a look and the wait wakes
 * the wait.  False: timed out.
 */
void
deltatx_shared_prepare_wait(void)
{
	ConditionVariablePrepareToSleep(&shared->progress);
}

bool
deltatx_shared_wait_progress(long timeout_ms)
{
	return !ConditionVariableTimedSleep(&shared->progress, timeout_ms,
										deltatx_wait_event("DeltatxMirrorProgress"));
}

void
deltatx_shared_end_wait(void)
{
	ConditionVariableCancelSleep();
}

/* What this database's worker is at; false: none runs. */
bool
deltatx_shared_worker_status(Oid database, WorkerStatus *status)
{
	const WorkerSlot *slot;

	LWLockAcquire(shared->lock, LW_SHARED);
	slot = running_slot(database);
	if (slot != NULL)
	{
		status->pid = slot->pid;
		status->heartbeat = slot->heartbeat;
		memcpy(status->doing, slot->doing, sizeof(status->doing));
	}
	LWLockRelease(shared->lock);
	return slot != NULL;
}

/*
 * A fresh horizon: ask, then wait for progress until it is answered.  The
 * ticket is 0 where nobody is there to ask.
 */
uint64
deltatx_shared_ask_horizon(Oid database)
{
	WorkerSlot *slot;
	uint64		ticket = 0;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	slot = running_slot(database);
	if (slot != NULL)
	{
		ticket = ++slot->horizons_asked;
		SetLatch(slot->latch);
	}
	LWLockRelease(shared->lock);
	return ticket;
}

/* A worker that is gone won't answer, which is an answer, too. */
bool
deltatx_shared_has_answered(Oid database, uint64 ticket)
{
	const WorkerSlot *slot;
	bool		answered;

	LWLockAcquire(shared->lock, LW_SHARED);
	slot = running_slot(database);
	answered = slot == NULL || slot->horizons_asked < ticket || slot->horizons_answered >= ticket;
	LWLockRelease(shared->lock);
	return answered;
}
