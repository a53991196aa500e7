/*-------------------------------------------------------------------------
 *
 * contact.h
 *	  What the store has in store: verdicts on failures, and the first look
 *	  at a table's log.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_CONTACT_H
#define DELTATX_CONTACT_H

#include "catalog/mirror_queue.h"
#include "store/store.h"

typedef enum MirrorErrorClass
{
	MIRROR_TRANSIENT,			/* tried again */
	MIRROR_PERMANENT,			/* failed at once; tried again now and then */
	MIRROR_DIVERGED				/* not tried again: the store and we disagree */
} MirrorErrorClass;

/* Why an attempt failed. */
typedef struct Verdict
{
	MirrorErrorClass error_class;
	char	   *object;			/* URI; NULL: none concerned */
	char	   *message;
	const char *hint;			/* NULL: none */
	int			retry_after_ms; /* the store asks for so long a pause; 0: it doesn't */
} Verdict;

extern Verdict *deltatx_verdict(MirrorErrorClass error_class, char *object,
								char *message, const char *hint);
extern Verdict *deltatx_verdict_of_error(const ErrorData *error);
extern Verdict *deltatx_verdict_of_store(const Store *store, StoreOutcome outcome);
extern const char *deltatx_error_class_name(MirrorErrorClass error_class);

/* The key of a version's commit file. */
extern char *deltatx_commit_key(int64 version);

/*
 * Before the first version of a table that this worker publishes: make its
 * log if it is new, tidy up, and see that it holds nothing that isn't ours.
 * NULL: all is well.
 */
extern Verdict *deltatx_contact(Store *store, const QueuedVersion *queued);

#endif							/* DELTATX_CONTACT_H */
