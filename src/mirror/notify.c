/*-------------------------------------------------------------------------
 *
 * notify.c
 *	  NOTIFY about what the worker does with versions.
 *
 * The worker speaks for the committers, too: a transaction that has notified
 * can't be prepared, and transactions that notify commit one after the other.
 * It does so in the transaction that claims a version, which there is once for
 * each, and in the one that records it as published.  So each notification is
 * sent once, unless the server crashes before it is delivered: PostgreSQL's
 * queue doesn't survive that.
 *
 * A listener that sleeps in an open transaction fills the queue, and a
 * transaction that finds it full fails.  That must not keep versions from
 * being published, so before it comes to that nothing is sent any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "deltatx.h"
#include "mirror/notify.h"

/* Share of the queue that is left to others. */
#define QUEUE_RESERVE	0.1

static void notify(const char *channel, const QueuedVersion *version);
static bool queue_has_room(void);
static char *payload_of(const QueuedVersion *version);

void
deltatx_notify_commit(const QueuedVersion *version)
{
	notify("deltatx_commit", version);
}

void
deltatx_notify_mirrored(const QueuedVersion *version)
{
	notify("deltatx_mirrored", version);
}

static void
notify(const char *channel, const QueuedVersion *version)
{
	if (deltatx_notify && queue_has_room())
		Async_Notify(channel, payload_of(version));
}

/* Logged when it changes, not with each notification that is lost. */
static bool
queue_has_room(void)
{
	static bool had_room = true;
	double		usage = DatumGetFloat8(DirectFunctionCall1(pg_notification_queue_usage, (Datum) 0));
	bool		has_room = usage < 1 - QUEUE_RESERVE;

	if (had_room && !has_room)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("no notifications are sent: the NOTIFY queue is almost full"),
				 errdetail_internal("usage=%.2f", usage),
				 errhint("End the transactions of sessions that listen.")));
	had_room = has_room;
	return has_room;
}

static char *
payload_of(const QueuedVersion *version)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfoString(&payload, "{\"table\":");
	escape_json(&payload, version->table_name);
	appendStringInfo(&payload, ",\"version\":" INT64_FORMAT ",\"transaction_id\":\"%s\"}",
					 version->version, version->transaction_id);
	return payload.data;
}
