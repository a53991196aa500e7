/*-------------------------------------------------------------------------
 *
 * store.h
 *	  Where tables live: a narrow interface over a directory or a bucket.
 *
 * Nothing here needs a transaction, and nothing raises errors for what a
 * store answers: a failure is an outcome with a fault that says what happened
 * and what to do.  Keys are relative to the table's location and use '/'.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_STORE_H
#define DELTATX_STORE_H

#include "common/sha2.h"

#include "action/action.h"
#include "store/connection.h"

typedef enum StoreOutcome
{
	STORE_DONE,
	STORE_DIFFERS,				/* put: the key is taken, by other content */
	STORE_SKIPPED,				/* put: one before it was not done */
	STORE_MISSING,				/* get: no such object */
	STORE_TRANSIENT,			/* failed; may work later by itself */
	STORE_PERMANENT				/* failed; somebody has to do something */
} StoreOutcome;

/* What went wrong, after STORE_TRANSIENT and STORE_PERMANENT; strings are palloc'd. */
typedef struct StoreFault
{
	char	   *message;		/* like an error's primary message */
	char	   *hint;			/* a full sentence; NULL: nothing to advise */
	char	   *object;			/* URI of the object concerned */
	int			retry_after_ms; /* the store asks for so long a pause; 0: it doesn't */
} StoreFault;

/* The content of an object that is put; read from the start, as often as needed. */
typedef struct StoreBody
{
	int64		length;
	uint8		sha256[PG_SHA256_DIGEST_LENGTH];
	DeltaTimestamp timestamp;	/* the object's modification time, where a store lets us set it */
	void		(*rewind) (void *arg);
	size_t		(*read) (void *arg, void *buffer, size_t size); /* 0: the end */
	void	   *arg;
} StoreBody;

/* Takes what get reads; false: enough. */
typedef bool (*StoreSink) (const void *data, size_t size, void *arg);

/* Takes a listed key; false: enough. */
typedef bool (*StoreLister) (const char *key, void *arg);

typedef struct Store Store;

/* One object to create. */
typedef struct StorePut
{
	Store	   *store;
	const char *key;
	StoreBody	body;
	StoreOutcome outcome;
} StorePut;

typedef struct StoreMethods
{
	/* Make the place for a new table's objects, where a store has such a thing. */
	StoreOutcome (*prepare) (Store *store, const char *directory);

	/*
	 * Create objects, in one or several stores of this kind.  Each appears
	 * whole or not at all, and none replaces another; one that is there
	 * already with the same content is done.  Those of one store appear in
	 * the given order, and once one is not done the rest are skipped.  What
	 * is done survives a crash of its host.
	 */
	void		(*put_if_absent) (StorePut *puts, int n);

	/*
	 * Put one object in the place of what is there, if anything: readers see
	 * the one or the other, whole.  NULL where a store can't do that yet.
	 */
	void		(*replace) (StorePut *put);
	StoreOutcome (*get) (Store *store, const char *key, StoreSink sink, void *arg);

	/* The keys in a directory (ending in '/') after start, in byte order. */
	StoreOutcome (*list) (Store *store, const char *directory, const char *start,
						  StoreLister lister, void *arg);

	/* Take away what a writer that died left unfinished in a directory. */
	StoreOutcome (*tidy) (Store *store, const char *directory);
} StoreMethods;

/* Freed with the memory context that it was opened in; holds nothing else.  fault is that of the first failure. */
struct Store
{
	const StoreMethods *methods;
	const char *location;
	StoreFault	fault;
};

/*
 * A location that deltatx_location_normalize has let pass, and how to reach
 * it: NULL for a bare file: location.  Nothing is contacted yet.
 */
extern Store *deltatx_store_open(const char *location, const StoreConnection *connection);

/* The same for stores of all kinds at once. */
extern void deltatx_store_put(StorePut *puts, int n);

/* For put_if_absent: whether one of the first n was not done in that store. */
extern bool deltatx_store_is_blocked(const StorePut *puts, int n, const Store *store);

/* For put_if_absent when a key is taken: DONE, DIFFERS, or why it can't be told. */
extern StoreOutcome deltatx_store_compare(Store *store, const char *key, const StoreBody *body);

/* local.c */
extern Store *deltatx_store_open_local(const char *location);

/* s3.c */
extern Store *deltatx_store_open_s3(const char *location, const StoreConnection *connection);

#endif							/* DELTATX_STORE_H */
