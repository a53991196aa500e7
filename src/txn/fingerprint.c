/*-------------------------------------------------------------------------
 *
 * fingerprint.c
 *	  What a transaction's content comes down to, for idempotency.
 *
 * A retry under an idempotency key must bring what the first attempt brought:
 * another job that happens to use the same key must not be told that its work
 * is done.  The fingerprint covers what the actions do and not how they are
 * written down, so that the same actions given as jsonb, as an array or as
 * NDJSON, with their members in any order, are the same content: of a file its
 * path, size, deletion vector and kind; of other actions all of the log line.
 *
 * Tables are taken in the order of their names, calls in the order in which
 * they were made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"

#include "txn/fingerprint.h"

struct Fingerprint
{
	pg_cryptohash_ctx *hash;
};

static void absorb(pg_cryptohash_ctx *hash, const void *data, size_t length);
static void absorb_string(pg_cryptohash_ctx *hash, const char *string);
static void absorb_number(pg_cryptohash_ctx *hash, int64 number);
static void absorb_file(pg_cryptohash_ctx *hash, const FileAction *file);
static void absorb_line(pg_cryptohash_ctx *hash, const Action *action);
static pg_cryptohash_ctx *new_hash(void);
static int	by_name(const ListCell *a, const ListCell *b);

Fingerprint *
deltatx_fingerprint_start(StageMode mode, const char *partition_filter)
{
	Fingerprint *result = palloc(sizeof(Fingerprint));

	result->hash = new_hash();
	absorb_number(result->hash, mode);
	absorb_string(result->hash, partition_filter);
	return result;
}

void
deltatx_fingerprint_add(Fingerprint *fingerprint, const Action *action)
{
	absorb_number(fingerprint->hash, action->kind);
	switch (action->kind)
	{
		case ACTION_ADD:
		case ACTION_REMOVE:
		case ACTION_CDC:
			absorb_file(fingerprint->hash, &action->u.file);
			break;
		default:
			absorb_line(fingerprint->hash, action);
			break;
	}
}

void
deltatx_fingerprint_finish(Fingerprint *fingerprint, uint8 *digest)
{
	if (pg_cryptohash_final(fingerprint->hash, digest, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not finish SHA-256: %s", pg_cryptohash_error(fingerprint->hash));
	pg_cryptohash_free(fingerprint->hash);
	pfree(fingerprint);
}

void
deltatx_fingerprint_of_change(const char *operation, const char *parameters, uint8 *digest)
{
	Fingerprint *sum = deltatx_fingerprint_start(STAGE_ACTIONS, NULL);

	absorb_string(sum->hash, operation);
	absorb_string(sum->hash, parameters);
	deltatx_fingerprint_finish(sum, digest);
}

void
deltatx_fingerprint_of(const OpenTransaction *transaction, uint8 *digest)
{
	Fingerprint *sum = deltatx_fingerprint_start(STAGE_ACTIONS, NULL);
	List	   *tables = list_copy(transaction->tables);
	ListCell   *cell;

	list_sort(tables, by_name);
	foreach(cell, tables)
	{
		StagedTable *table = lfirst(cell);
		ListCell   *call;

		absorb_string(sum->hash, table->sum.table_name);
		absorb_number(sum->hash, list_length(table->digests));
		foreach(call, table->digests)
			absorb(sum->hash, lfirst(call), PG_SHA256_DIGEST_LENGTH);
	}
	deltatx_fingerprint_finish(sum, digest);
}

static void
absorb(pg_cryptohash_ctx *hash, const void *data, size_t length)
{
	if (pg_cryptohash_update(hash, data, length) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(hash));
}

/* With its length, so that neighbours can't run into each other; NULL is not "". */
static void
absorb_string(pg_cryptohash_ctx *hash, const char *string)
{
	absorb_number(hash, string == NULL ? -1 : (int64) strlen(string));
	if (string != NULL)
		absorb(hash, string, strlen(string));
}

static void
absorb_number(pg_cryptohash_ctx *hash, int64 number)
{
	uint8		bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8) ((uint64) number >> (8 * i));
	absorb(hash, bytes, sizeof(bytes));
}

static void
absorb_file(pg_cryptohash_ctx *hash, const FileAction *file)
{
	absorb_string(hash, file->path);
	absorb_string(hash, file->dv_id);
	absorb_number(hash, file->size);
	absorb_number(hash, file->data_change);
}

/* commitInfo is a description, not content. */
static void
absorb_line(pg_cryptohash_ctx *hash, const Action *action)
{
	StringInfoData line;

	initStringInfo(&line);
	if (action->kind == ACTION_METADATA)
		deltatx_serialize_metadata(&line, &action->u.metadata);
	else if (action->kind == ACTION_PROTOCOL)
		deltatx_serialize_protocol(&line, &action->u.protocol);
	else if (action->kind == ACTION_TXN)
		deltatx_serialize_txn(&line, &action->u.txn);
	else if (action->kind == ACTION_DOMAIN)
		deltatx_serialize_domain(&line, &action->u.domain);
	absorb_string(hash, line.data);
	pfree(line.data);
}

/* Freed with the fingerprint; pg_cryptohash has no memory context of ours. */
static pg_cryptohash_ctx *
new_hash(void)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);

	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		elog(ERROR, "could not start SHA-256");
	return hash;
}

static int
by_name(const ListCell *a, const ListCell *b)
{
	return strcmp(((StagedTable *) lfirst(a))->sum.table_name,
				  ((StagedTable *) lfirst(b))->sum.table_name);
}
