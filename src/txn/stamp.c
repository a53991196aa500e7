/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  Choose the commit timestamp that all versions of a transaction share.
 *
 * A stamp is a Delta in-commit timestamp: milliseconds since the Unix epoch.
 * Readers travel in time and cut across tables by it, so three things must
 * hold:
 *
 *	(1) within a table, stamps rise strictly from version to version;
 *	(2) an effect has a later stamp than its cause, be it in another table;
 *	(3) once the worker has shown a horizon H, no transaction that becomes
 *		visible later carries a stamp <= H.
 *
 * The heads of all tables that a transaction writes or has read are locked
 * when it chooses, so (1) and (2) follow from going past the newest of their
 * stamps, whatever the clock does.
 *
 * (3) is not so easy, because a stamp is chosen before its transaction becomes
 * visible, and a PREPAREd one may stay invisible for days.  So a commit first
 * announces a lower bound of its stamp, as the tag of a shared lock, where the
 * worker can see it:
 *
 *	commit: lock heads; announce bound = max(clock, heads + 1); choose the stamp
 *	worker: candidate = clock; raise the floor to it; read the announced
 *			bounds; H = min(candidate, bounds) - 1; take a snapshot
 *
 * Whatever the interleaving, a commit that the worker doesn't see in that
 * snapshot either has announced a bound above H, or will choose its stamp
 * after the floor was raised, hence above it.  The floor, not the clock, makes
 * this hold when the clock steps back.
 *
 * Why a lock carries the message: locks are released only after the commit
 * has become visible, survive PREPARE TRANSACTION and a restart, vanish with
 * an abort or ROLLBACK TO SAVEPOINT, and show in pg_locks.  Shared memory of
 * our own would give us none of that.
 *
 * The floor is one for the cluster, and lost in a restart or failover, which
 * may also change the clock.  A horizon is durable before it is shown.  So the
 * first time that a session chooses, it raises the floor to what is persisted
 * in its database.  What is persisted later was the floor already.
 *
 * A table that takes more than a thousand commits a second runs ahead of the
 * clock by a millisecond each.  Beyond deltatx.max_clock_lead a commit waits
 * for the clock, so that a burst can't push a table's time into next week.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "utils/timestamp.h"

#include "catalog/cut.h"
#include "compat.h"
#include "deltatx.h"
#include "txn/stamp.h"

#define EPOCH_DIFFERENCE_MS \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000))

/* Highest candidate that a worker of this cluster has taken; in shared memory. */
static pg_atomic_uint64 *stamp_floor;

static void recover_floor(void);
static DeltaTimestamp announce(DeltaTimestamp bound);
static DeltaTimestamp lowest_announced(DeltaTimestamp lowest);
static DeltaTimestamp raise_floor(DeltaTimestamp stamp);
static DeltaTimestamp clock_now(void);
static void wait_for_clock(DeltaTimestamp stamp);

void
deltatx_stamp_attach(pg_atomic_uint64 *shared_floor)
{
	stamp_floor = shared_floor;
}

DeltaTimestamp
deltatx_stamp_choose(DeltaTimestamp newest)
{
	DeltaTimestamp stamp;
	DeltaTimestamp bound;

	recover_floor();
	bound = announce(Max(clock_now(), newest + 1));

	/*
	 * The clock and the floor must be read after the announcement: a worker
	 * that raised the floor in between may not have seen our bound.
	 */
	stamp = Max(Max(bound, newest + 1), clock_now());
	stamp = Max(stamp, (DeltaTimestamp) pg_atomic_read_u64(stamp_floor) + 1);

	wait_for_clock(stamp);
	return stamp;
}

/* Once in the life of a session. */
static void
recover_floor(void)
{
	static bool recovered = false;

	if (recovered)
		return;
	(void) raise_floor(deltatx_horizon_persisted());
	recovered = true;
}

/*
 * Returns a bound that is announced until the transaction ends; shared, so
 * that equal bounds don't wait for each other.
 *
 * The first commit of a PostgreSQL transaction announces for those that
 * follow, which need no more locks of their own.  A bound that is too low is
 * never wrong; so it doesn't matter whether a savepoint was rolled back in
 * between, or whether it was another transaction of the same start.
 */
static DeltaTimestamp
announce(DeltaTimestamp bound)
{
	static DeltaTimestamp announced;
	static TimestampTz announced_in;
	LOCKTAG		tag;

	if (announced_in != GetCurrentTransactionStartTimestamp())
	{
		announced_in = GetCurrentTransactionStartTimestamp();
		announced = bound;
	}
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (announced >> 32), (uint32) announced,
						 STAMP_LOCK_CLASS);
	(void) LockAcquire(&tag, ShareLock, false, false);
	return announced;
}

DeltaTimestamp
deltatx_stamp_horizon(void)
{
	DeltaTimestamp candidate = raise_floor(clock_now());

	return lowest_announced(candidate) - 1;
}

/* The lowest of the bounds that are announced in this database, and of the one given. */
static DeltaTimestamp
lowest_announced(DeltaTimestamp lowest)
{
	LockData   *locks = GetLockStatusData();

	for (int i = 0; i < locks->nelements; i++)
	{
		const LockInstanceData *lock = &locks->locks[i];
		const LOCKTAG *tag = &lock->locktag;

		if (lock->holdMask != 0 && tag->locktag_type == LOCKTAG_ADVISORY &&
			tag->locktag_field1 == MyDatabaseId && tag->locktag_field4 == STAMP_LOCK_CLASS)
			lowest = Min(lowest, ((DeltaTimestamp) tag->locktag_field2 << 32) | tag->locktag_field3);
	}
	return lowest;
}

/* To a stamp, if it isn't there yet; returns where it is. */
static DeltaTimestamp
raise_floor(DeltaTimestamp stamp)
{
	uint64		level = pg_atomic_read_u64(stamp_floor);

	while (level < (uint64) stamp &&
		   !pg_atomic_compare_exchange_u64(stamp_floor, &level, (uint64) stamp))
		;						/* level is now what somebody else made it */
	return Max(stamp, (DeltaTimestamp) level);
}

DeltaTimestamp
deltatx_stamp_of_timestamptz(int64 timestamp)
{
	/* Down, not towards zero: times before 2000 are negative here, down to -infinity. */
	return timestamp / 1000 - (timestamp % 1000 < 0 ? 1 : 0) + EPOCH_DIFFERENCE_MS;
}

int64
deltatx_stamp_to_timestamptz(DeltaTimestamp stamp)
{
	return (stamp - EPOCH_DIFFERENCE_MS) * 1000;
}

static DeltaTimestamp
clock_now(void)
{
	return deltatx_stamp_of_timestamptz(GetCurrentTimestamp());
}

static void
wait_for_clock(DeltaTimestamp stamp)
{
	for (;;)
	{
		DeltaTimestamp lead = stamp - clock_now();

		if (lead <= deltatx_max_clock_lead)
			return;
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(lead - deltatx_max_clock_lead, 1000),
						 deltatx_wait_event("DeltatxClockLead"));
		ResetLatch(MyLatch);
	}
}
