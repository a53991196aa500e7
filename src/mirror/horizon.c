/*-------------------------------------------------------------------------
 *
 * horizon.c
 *	  Worker: move the horizon, below which no transaction can appear any more.
 *
 * txn/stamp.c says what the horizon is and how it is found, catalog/cut.c what
 * follows from it.  Here is when: it must be durable before it is shown, which
 * costs a commit, and an idle worker is to write nothing.  So it moves
 *
 *	- at most once a second while it is below something that was published;
 *	- at once, however little there is to do, when somebody wants to see it.
 *
 * A transaction in flight, or PREPAREd, may hold it below what was published.
 * Then the announced bounds are looked at once a second, which writes nothing
 * until they move.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "catalog/cut.h"
#include "mirror/horizon.h"
#include "mirror/shared.h"
#include "mirror/worker.h"
#include "txn/stamp.h"

static bool started;
static DeltaTimestamp persisted;	/* where the horizon is */
static DeltaTimestamp newest_published;
static TimestampTz looked_at;

static void start(void);
static bool is_behind(void);
static void advance(void);

void
deltatx_horizon_published(DeltaTimestamp stamp)
{
	newest_published = Max(newest_published, stamp);
	deltatx_manifest_changed();
}

void
deltatx_horizon_round(TimestampTz *due)
{
	uint64		ticket = deltatx_shared_horizon_wanted();
	TimestampTz now = GetCurrentTimestamp();

	if (!started)
		start();
	if (ticket != 0 || ((is_behind() || deltatx_manifest_is_due()) &&
						TimestampDifferenceExceeds(looked_at, now, HORIZON_INTERVAL_MS)))
	{
		looked_at = now;
		if (ticket != 0 || is_behind())
			advance();
		if (ticket != 0)
			deltatx_shared_answer_horizon(ticket);
		deltatx_manifest_round();
	}
	if (is_behind() || deltatx_manifest_is_due())
		*due = Min(*due, TimestampTzPlusMilliseconds(looked_at, HORIZON_INTERVAL_MS));
}

/* A predecessor may have published what it had no time to move the horizon for. */
static void
start(void)
{
	CatalogScope scope;

	deltatx_worker_begin(&scope);
	persisted = deltatx_horizon_persisted();
	newest_published = Max(newest_published, deltatx_newest_stamp());
	deltatx_worker_commit(&scope);
	started = true;
}

static bool
is_behind(void)
{
	return persisted < newest_published;
}

static void
advance(void)
{
	DeltaTimestamp horizon = deltatx_stamp_horizon();
	CatalogScope scope;

	if (horizon <= persisted)
		return;
	if (is_behind())
		deltatx_manifest_changed();

	/* Commits synchronously, see worker.c, and begins with a snapshot that is younger than the bounds. */
	deltatx_worker_begin(&scope);
	deltatx_horizon_persist(horizon);
	deltatx_worker_commit(&scope);
	persisted = horizon;
}
