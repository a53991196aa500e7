/*-------------------------------------------------------------------------
 *
 * uuid7.c
 *	  Identifiers of transactions, tables and files: UUID version 7 (RFC 9562).
 *
 * The first 48 bits are milliseconds since 1970, the rest is random.  A
 * B-tree over them is appended to, where random UUIDs would touch a page of
 * their own each time.  PostgreSQL has uuidv7() since 18 only.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "txn/stamp.h"
#include "txn/uuid7.h"

/* A draw of random bytes takes system calls, so it is made for many ids at once. */
#define IDS_PER_DRAW	64

static const unsigned char *next_random(void);

void
deltatx_uuid_new(pg_uuid_t *result)
{
	uint64		millis = (uint64) deltatx_stamp_of_timestamptz(GetCurrentTimestamp());

	memcpy(result->data, next_random(), UUID_LEN);
	for (int i = 0; i < 6; i++)
		result->data[i] = (unsigned char) (millis >> (8 * (5 - i)));
	result->data[6] = (result->data[6] & 0x0F) | 0x70;	/* version */
	result->data[8] = (result->data[8] & 0x3F) | 0x80;	/* variant */
}

/* UUID_LEN bytes that nobody has had before. */
static const unsigned char *
next_random(void)
{
	static unsigned char drawn[IDS_PER_DRAW][UUID_LEN];
	static int	left = 0;

	if (left == 0)
	{
		if (!pg_strong_random(drawn, sizeof(drawn)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		left = IDS_PER_DRAW;
	}
	return drawn[--left];
}

char *
deltatx_uuid_text(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}
