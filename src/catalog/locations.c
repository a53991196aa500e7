/*-------------------------------------------------------------------------
 *
 * locations.c
 *	  Where tables lie, and that no two share a place.
 *
 * A table within the directory of another would be vacuumed, listed and read
 * as part of it.  A unique index keeps two tables from one location, but not
 * one from within another when both are created at the same time and neither
 * sees the other.  So creation locks its own location exclusively and each
 * directory above it in share mode: of two creations that overlap, one waits
 * for the other's end.  Then it looks with a snapshot of its own, which sees
 * what has committed meanwhile at every isolation level.
 *
 * The lock tag is a hash of the location: a collision makes two creations
 * wait for each other without need, no more.  Locks are taken from the
 * outermost directory inwards, so creations can't deadlock on one location.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/snapmgr.h"

#include "catalog/arrays.h"
#include "catalog/locations.h"
#include "catalog/scope.h"
#include "errors.h"

/* Fourth field of our advisory lock tags: above core's 1 and 2, positive as int2. */
#define LOCATION_LOCK_CLASS	0x0D72

#define FILE_SCHEME	"file://"
#define S3_SCHEME	"s3://"

/* S3 allows keys of 1024 bytes; the rest is for the files of the table. */
#define MAX_S3_PREFIX	700

/* '0' is the character after '/': the range holds what lies within $1. */
static CatalogPlan select_overlap = {
	"SELECT table_name, location FROM deltatx.dl_tables"
	" WHERE location OPERATOR(pg_catalog.=) ANY ($2)"
	" OR (location OPERATOR(pg_catalog.>=) ($1 OPERATOR(pg_catalog.||) '/')"
	" AND location OPERATOR(pg_catalog.<) ($1 OPERATOR(pg_catalog.||) '0'))"
	" LIMIT 1",
	2, {TEXTOID, TEXTARRAYOID}, true
};

static void refuse_later(const char *location, const char *table_name);
static const char *path_in(const char *location, const DocumentPlace *place);
static void check_bucket(const char *bucket, size_t length, const DocumentPlace *place);
static void check_segments(const char *path, const DocumentPlace *place);
static List *with_ancestors(const char *location);
static void lock_location(const char *location, LOCKMODE mode);

char *
deltatx_location_normalize(const char *location, const char *table_name)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION, table_name};
	char	   *result = pstrdup(location);
	char	   *path = result + (path_in(location, &place) - location);
	size_t		length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		path[--length] = '\0';
	if (length == 0)
		deltatx_refuse(&place, "location", "Name a directory below it.",
					   "location \"%s\" is %s", location,
					   strncmp(location, FILE_SCHEME, strlen(FILE_SCHEME)) == 0 ? "the root directory" : "a whole bucket");
	check_segments(path, &place);
	return result;
}

void
deltatx_location_check_server(const char *location)
{
	DocumentPlace place = {DTX_INVALID_DEFINITION};
	const char *path = path_in(location, &place);
	size_t		length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	if (length > 0)
		check_segments(pnstrdup(path, length), &place);
}

void
deltatx_location_reserve(const char *location, const char *table_name)
{
	List	   *taken = with_ancestors(location);
	Datum		args[2];
	uint64		found;
	ListCell   *cell;

	foreach(cell, taken)
		lock_location(lfirst(cell),
					  strcmp(lfirst(cell), location) == 0 ? ExclusiveLock : ShareLock);

	args[0] = deltatx_text_datum(location);
	args[1] = deltatx_text_array_of_list(taken);
	PushActiveSnapshot(GetLatestSnapshot());
	found = deltatx_plan_execute(&select_overlap, args, NULL);
	PopActiveSnapshot();

	if (found > 0)
		ereport(ERROR,
				(deltatx_condition(DTX_LOCATION_IN_USE, table_name),
				 errmsg("location \"%s\" overlaps that of table \"%s\"", location,
						deltatx_result_text(SPI_tuptable->vals[0], 1)),
				 errdetail_internal("location=%s",
									deltatx_result_text(SPI_tuptable->vals[0], 2)),
				 errhint("No two tables share a location, and none lies within another; a dropped table keeps its own until its last version is published.")));
}

/* What follows the host or bucket: empty, or from a '/' on. */
static const char *
path_in(const char *location, const DocumentPlace *place)
{
	const char *bucket = location + strlen(S3_SCHEME);
	size_t		length;

	refuse_later(location, place->table_name);
	if (strncmp(location, FILE_SCHEME "/", strlen(FILE_SCHEME "/")) == 0)
		return location + strlen(FILE_SCHEME);
	if (strncmp(location, S3_SCHEME, strlen(S3_SCHEME)) != 0)
		deltatx_refuse(place, "location",
					   "A location is a URI such as file:///srv/lake/orders or s3://bucket/lake/orders.",
					   "\"%s\" is not a location", location);

	length = strcspn(bucket, "/");
	check_bucket(bucket, length, place);
	if (strlen(bucket + length) > MAX_S3_PREFIX)
		deltatx_refuse(place, "location", "Use a shorter one.",
					   "a location in S3 has at most %d bytes after the bucket", MAX_S3_PREFIX);
	return bucket + length;
}

static void
refuse_later(const char *location, const char *table_name)
{
	static const char *const later[] = {"abfss://", "abfs://", "az://", "gs://"};

	for (int i = 0; i < lengthof(later); i++)
		if (strncmp(location, later[i], strlen(later[i])) == 0)
			ereport(ERROR,
					(deltatx_condition(DTX_UNSUPPORTED_FEATURE, table_name),
					 errmsg("this version of deltatx can't publish to \"%s\"", location),
					 errhint("Use a location that starts with file:/// or s3://.")));
}

/* The rules of S3, as the name becomes part of a host's. */
static void
check_bucket(const char *bucket, size_t length, const DocumentPlace *place)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyz0123456789";
	bool		valid = length >= 3 && length <= 63 &&
		strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-.") >= length &&
		strchr(plain, bucket[0]) != NULL && strchr(plain, bucket[length - 1]) != NULL;

	for (size_t i = 1; valid && i < length; i++)
		valid = bucket[i - 1] != '.' || bucket[i] != '.';
	if (!valid)
		deltatx_refuse(place, "location",
					   "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens.",
					   "\"%.*s\" is not the name of a bucket", (int) length, bucket);
}

/*
 * Readers decode the path, some once and some not at all, so characters that
 * a URI would have to encode are refused rather than guessed at.
 */
static void
check_segments(const char *path, const DocumentPlace *place)
{
	for (const char *segment = path; *segment == '/';)
	{
		size_t		length = strcspn(++segment, "/");

		if (length == 0 || strncmp(segment, ".", length) == 0 ||
			(length == 2 && strncmp(segment, "..", 2) == 0))
			deltatx_refuse(place, "location", "Write the location in its plain form.",
						   "location has an empty, \".\" or \"..\" segment");
		if (length == strlen("_delta_log") && strncmp(segment, "_delta_log", length) == 0)
			deltatx_refuse(place, "location", NULL, "location lies within a _delta_log");
		segment += length;
	}

	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char) *c <= ' ' || *c == 0x7F || strchr("%?#\\\"<>^`{|}", *c) != NULL)
			deltatx_refuse(place, "location",
						   "Use a directory whose name needs no URI encoding.",
						   "location has a character that a URI would encode");
}

/* From the outermost directory to the location itself. */
static List *
with_ancestors(const char *location)
{
	List	   *result = NIL;

	for (const char *c = strstr(location, "://") + 4; *c != '\0'; c++)
		if (*c == '/')
			result = lappend(result, pnstrdup(location, c - location));
	return lappend(result, pstrdup(location));
}

static void
lock_location(const char *location, LOCKMODE mode)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) location,
										   strlen(location), 0);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash,
						 LOCATION_LOCK_CLASS);
	(void) LockAcquire(&tag, mode, false, false);
}
