/*-------------------------------------------------------------------------
 *
 * stamp.c
 *	  Choose the commit timestamp that all versions of a transaction share.
 *
 * A stamp is a Delta in-commit timestamp: milliseconds since the Unix epoch.
 * Within a table stamps rise strictly from version to version, since readers
 * travel in time by them, and an effect has a later stamp than its cause, be
 * the cause in another table.  The heads of all tables that a transaction
 * writes or has read are locked when it chooses, so both follow from going
 * past the newest of their stamps, whatever the clock does.
 *
 * A table that takes more than a thousand commits a second runs ahead of the
 * clock by a millisecond each.  Beyond deltatx.max_clock_lead a commit waits
 * for the clock, so that a burst can't push a table's time into next week.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "deltatx.h"
#include "txn/stamp.h"

#define EPOCH_DIFFERENCE_MS \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * INT64CONST(86400000))

static void wait_for_clock(DeltaTimestamp stamp);

DeltaTimestamp
deltatx_stamp_choose(DeltaTimestamp newest)
{
	DeltaTimestamp stamp = Max(deltatx_stamp_of_timestamptz(GetCurrentTimestamp()), newest + 1);

	wait_for_clock(stamp);
	return stamp;
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

static void
wait_for_clock(DeltaTimestamp stamp)
{
	for (;;)
	{
		DeltaTimestamp lead = stamp - deltatx_stamp_of_timestamptz(GetCurrentTimestamp());

		if (lead <= deltatx_max_clock_lead)
			return;
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(lead - deltatx_max_clock_lead, 1000),
						 deltatx_wait_event("DeltatxClockLead"));
		ResetLatch(MyLatch);
	}
}
