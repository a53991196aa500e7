/*-------------------------------------------------------------------------
 *
 * spool.c
 *	  The bytes of a commit file, between the catalog and the store.
 *
 * They are made within a transaction and sent outside of any, so they have to
 * be kept in between: in memory as long as they are few, else in a temporary
 * file of the worker.  Their length and SHA-256 are computed on the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/tablespace.h"
#include "common/cryptohash.h"
#include "storage/buffile.h"

#include "catalog/log.h"
#include "mirror/spool.h"

/* More than that goes to a file. */
#define SPOOL_MEMORY_MAX	(8 * 1024 * 1024)

struct Spool
{
	FileProof	proof;
	pg_cryptohash_ctx *hash;	/* while it is built */
	StringInfoData memory;
	size_t		position;		/* of the next read, in memory */
	BufFile    *file;			/* NULL: all is in memory */
	MemoryContext context;		/* of all this */
};

static void add_line(const StringInfo line, void *arg);
static void add_bytes(Spool *spool, const char *bytes, size_t size);
static void move_to_file(Spool *spool);
static void finish(Spool *spool);
static void rewind_spool(void *arg);
static size_t read_spool(void *arg, void *buffer, size_t size);

Spool *
deltatx_spool_build(int64 table_id, int64 version)
{
	Spool	   *spool = palloc0(sizeof(Spool));

	spool->context = CurrentMemoryContext;
	initStringInfo(&spool->memory);
	spool->hash = pg_cryptohash_create(PG_SHA256);
	if (spool->hash == NULL || pg_cryptohash_init(spool->hash) < 0)
		elog(ERROR, "could not initialize SHA-256");

	PG_TRY();
	{
		deltatx_log_write(table_id, version, add_line, spool);
		finish(spool);
	}
	PG_CATCH();
	{
		deltatx_spool_close(spool);
		PG_RE_THROW();
	}
	PG_END_TRY();
	return spool;
}

static void
add_line(const StringInfo line, void *arg)
{
	Spool	   *spool = arg;

	add_bytes(spool, line->data, line->len);
	add_bytes(spool, "\n", 1);
}

static void
add_bytes(Spool *spool, const char *bytes, size_t size)
{
	if (pg_cryptohash_update(spool->hash, (const uint8 *) bytes, size) < 0)
		elog(ERROR, "could not update SHA-256");
	spool->proof.length += size;

	if (spool->file == NULL && spool->proof.length > SPOOL_MEMORY_MAX)
		move_to_file(spool);
	if (spool->file != NULL)
		BufFileWrite(spool->file, (void *) bytes, size);
	else
		appendBinaryStringInfo(&spool->memory, bytes, size);
}

/* The file must outlive the transaction that fills it, and the caller's memory context. */
static void
move_to_file(Spool *spool)
{
	MemoryContext caller = MemoryContextSwitchTo(spool->context);

	PrepareTempTablespaces();
	spool->file = BufFileCreateTemp(true);
	MemoryContextSwitchTo(caller);

	BufFileWrite(spool->file, spool->memory.data, spool->memory.len);
	pfree(spool->memory.data);
	spool->memory.data = NULL;
}

static void
finish(Spool *spool)
{
	if (pg_cryptohash_final(spool->hash, spool->proof.sha256, sizeof(spool->proof.sha256)) < 0)
		elog(ERROR, "could not finalize SHA-256");
	pg_cryptohash_free(spool->hash);
	spool->hash = NULL;
}

const FileProof *
deltatx_spool_proof(const Spool *spool)
{
	return &spool->proof;
}

StoreBody
deltatx_spool_body(Spool *spool, DeltaTimestamp stamp)
{
	StoreBody	body = {
		.length = spool->proof.length,
		.timestamp = stamp,
		.rewind = rewind_spool,
		.read = read_spool,
		.arg = spool
	};

	memcpy(body.sha256, spool->proof.sha256, sizeof(body.sha256));
	return body;
}

static void
rewind_spool(void *arg)
{
	Spool	   *spool = arg;

	spool->position = 0;
	if (spool->file != NULL && BufFileSeek(spool->file, 0, 0, SEEK_SET) != 0)
		elog(ERROR, "could not rewind a temporary file: %m");
}

static size_t
read_spool(void *arg, void *buffer, size_t size)
{
	Spool	   *spool = arg;

	if (spool->file != NULL)
		return BufFileRead(spool->file, buffer, size);

	size = Min(size, spool->memory.len - spool->position);
	memcpy(buffer, spool->memory.data + spool->position, size);
	spool->position += size;
	return size;
}

void
deltatx_spool_close(Spool *spool)
{
	if (spool->file != NULL)
		BufFileClose(spool->file);
	spool->file = NULL;
}
