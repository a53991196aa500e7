/*-------------------------------------------------------------------------
 *
 * manifest.c
 *	  Worker: keep the consistent cut as a file, for readers of the store.
 *
 * In the folder deltatx.cut_location lies cut.json, with the watermark and the
 * version of each table there.  It is replaced as a whole, so that readers
 * find the one or the other, and only when it would say something else of the
 * tables than before: the watermark alone moves all the time.
 *
 * What was written last is known to this process only.  So a worker writes the
 * file anew when it has started, or when the folder is another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "catalog/cut.h"
#include "deltatx.h"
#include "errors.h"
#include "mirror/horizon.h"
#include "mirror/worker.h"
#include "store/store.h"
#include "txn/stamp.h"

#define MANIFEST_KEY	"cut.json"

/* A StoreBody's content in memory. */
typedef struct Text
{
	const char *data;
	size_t		length;
	size_t		read;
} Text;

static char *folder;			/* where it was written last, or tried to */
static char *written;			/* what it says of the tables; NULL: not written */
static bool changed;
static bool failing;

static void enter_folder(void);
static char *tables_json(const List *tables);
static void write_manifest(DeltaTimestamp watermark, const char *tables);
static StoreBody body_of(Text *text, DeltaTimestamp time);
static void rewind_text(void *arg);
static size_t read_text(void *arg, void *buffer, size_t size);
static void report_outcome(const StorePut *put);

void
deltatx_manifest_changed(void)
{
	changed = true;
}

bool
deltatx_manifest_is_due(void)
{
	if (deltatx_cut_location[0] == '\0')
		return false;
	return changed || written == NULL || strcmp(folder, deltatx_cut_location) != 0;
}

void
deltatx_manifest_round(void)
{
	CatalogScope scope;
	DeltaTimestamp watermark;
	char	   *tables;

	if (!deltatx_manifest_is_due())
		return;
	enter_folder();

	deltatx_worker_begin(&scope);
	watermark = deltatx_watermark(0);
	tables = tables_json(deltatx_cut_at(0, watermark));
	deltatx_worker_commit(&scope);

	changed = false;
	if (written == NULL || strcmp(written, tables) != 0)
		write_manifest(watermark, tables);
}

/* At the first time, and when the setting has changed. */
static void
enter_folder(void)
{
	if (folder != NULL && strcmp(folder, deltatx_cut_location) == 0)
		return;
	folder = MemoryContextStrdup(TopMemoryContext, deltatx_cut_location);
	written = NULL;
	failing = false;
}

static char *
tables_json(const List *tables)
{
	StringInfoData out;
	ListCell   *cell;

	initStringInfo(&out);
	foreach(cell, tables)
	{
		const CutTable *table = lfirst(cell);

		appendStringInfoString(&out, out.len > 0 ? ",\n{\"name\":" : "\n{\"name\":");
		escape_json(&out, table->table_name);
		appendStringInfoString(&out, ",\"location\":");
		escape_json(&out, table->location);
		appendStringInfoString(&out, ",\"table_id\":");
		escape_json(&out, table->delta_id);
		appendStringInfo(&out, ",\"version\":" INT64_FORMAT ",\"commit_timestamp\":" INT64_FORMAT "}",
						 table->version, table->stamp);
	}
	return out.data;
}

static void
write_manifest(DeltaTimestamp watermark, const char *tables)
{
	DeltaTimestamp now = deltatx_stamp_of_timestamptz(GetCurrentTimestamp());
	Text		text;
	StorePut	put = {
		.store = deltatx_store_open_local(folder),
		.key = MANIFEST_KEY,
	};

	text.data = psprintf("{\"watermark\":" INT64_FORMAT ",\"published_at\":" INT64_FORMAT ",\"tables\":[%s\n]}\n",
						 watermark, now, tables);
	text.length = strlen(text.data);
	put.body = body_of(&text, now);
	if (written == NULL)
		(void) put.store->methods->tidy(put.store, "");
	put.store->methods->replace(&put);

	if (written != NULL)
		pfree(written);
	written = put.outcome == STORE_DONE ? MemoryContextStrdup(TopMemoryContext, tables) : NULL;
	report_outcome(&put);
}

static StoreBody
body_of(Text *text, DeltaTimestamp time)
{
	return (StoreBody) {
		.length = text->length,
		.timestamp = time,
		.rewind = rewind_text,
		.read = read_text,
		.arg = text
	};
}

static void
rewind_text(void *arg)
{
	((Text *) arg)->read = 0;
}

static size_t
read_text(void *arg, void *buffer, size_t size)
{
	Text	   *text = arg;

	size = Min(size, text->length - text->read);
	memcpy(buffer, text->data + text->read, size);
	text->read += size;
	return size;
}

/* A failure is logged when it begins; it is tried again until it works. */
static void
report_outcome(const StorePut *put)
{
	const StoreFault *fault = &put->store->fault;
	bool		failed = put->outcome != STORE_DONE;

	if (failed && !failing)
		ereport(WARNING,
				(deltatx_condition(DTX_MIRROR_FAILURE, NULL),
				 errmsg("could not write the manifest of the cut: %s", fault->message),
				 errdetail_internal("object=%s", fault->object),
				 fault->hint ? errhint("%s", fault->hint) : 0));
	else if (!failed && failing)
		ereport(LOG, (errmsg("the manifest of the cut is written again")));
	failing = failed;
}
