/*-------------------------------------------------------------------------
 *
 * stage_files.c
 *	  The file actions of one stage call.
 *
 * They gather in batches that are checked against the live set and inserted,
 * so memory is bounded by a batch, whatever the number of files.
 *
 * What makes a set of actions legal can be known only at the end of the call,
 * since a remove may follow the add that needs it: an add of a path that is
 * live is legal when the same call removes the old file and the deletion
 * vectors differ, or when it renews the very file (statistics or tags) without
 * a change of data.  Such adds are remembered until then.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "conflict/conflict.h"
#include "txn/limits.h"
#include "txn/stage_files.h"

/* An add whose path is live already. */
typedef struct Renewal
{
	int64		position;
	char	   *path;
	char	   *dv_id;			/* NULL: none */
	bool		data_change;
	LiveMatch	live;
} Renewal;

/* Hash entry: a file that this call removes. */
typedef struct RemovedFile
{
	struct
	{
		int64		commit_id;
		int64		ord;
	}			key;
} RemovedFile;

static FileBatch *new_batch(const StageFiles *files);
static void batch_file(FileBatch *batch, Action *action);
static void flush(StageFiles *files);
static void flush_adds(StageFiles *files);
static int	by_path(const void *a, const void *b);
static void refuse_twins(StageFiles *files, const FileBatch *batch);
static void note_live(StageFiles *files, const LiveMatch *match);
static void flush_removes(StageFiles *files);
static void check_removed(StageFiles *files, const LiveMatch *live, int i);
static void note_removed(StageFiles *files, const LiveMatch *match, const DocumentPlace *place);
static void settle_renewals(StageFiles *files);
static bool same_vector(const char *left, const char *right);
static void refuse_duplicate(StageFiles *files, int64 position, const char *path,
							 const char *hint) pg_attribute_noreturn();

void
deltatx_stage_files_start(StageFiles *files, StageCall *call)
{
	memset(files, 0, sizeof(StageFiles));
	files->call = call;
	files->overwrites = call->mode == STAGE_OVERWRITE || call->mode == STAGE_OVERWRITE_PARTITIONS;
	files->call_context = CurrentMemoryContext;
	files->batch_context = AllocSetContextCreate(CurrentMemoryContext, "deltatx stage batch",
												 ALLOCSET_DEFAULT_SIZES);
}

void
deltatx_stage_files_take(StageFiles *files, Action *action)
{
	FileBatch **batch = action->kind == ACTION_ADD ? &files->adds : &files->removes;

	if (action->kind == ACTION_ADD)
	{
		files->call->adds++;
		files->call->bytes_added = deltatx_limits_add_bytes(files->call->bytes_added,
															action->u.file.size,
															files->call->table_name);
	}
	else
		files->call->removes++;

	if (*batch == NULL)
		*batch = new_batch(files);
	batch_file(*batch, action);
	if ((*batch)->n == FILE_BATCH_ROWS)
		flush(files);
}

void
deltatx_stage_files_finish(StageFiles *files)
{
	flush(files);
	settle_renewals(files);
	MemoryContextDelete(files->batch_context);
}

static FileBatch *
new_batch(const StageFiles *files)
{
	FileBatch  *batch = MemoryContextAlloc(files->call_context, sizeof(FileBatch));

	batch->table_id = files->call->table_id;
	batch->commit_id = files->call->commit_id;
	batch->n = 0;
	return batch;
}

static void
batch_file(FileBatch *batch, Action *action)
{
	batch->actions[batch->n] = &action->u.file;
	batch->positions[batch->n] = action->position;
	batch->n++;
}

/* Both batches at once, since they share the memory of their actions. */
static void
flush(StageFiles *files)
{
	MemoryContext old = MemoryContextSwitchTo(files->batch_context);

	if (files->adds != NULL && files->adds->n > 0)
		flush_adds(files);
	if (files->removes != NULL && files->removes->n > 0)
		flush_removes(files);
	MemoryContextSwitchTo(old);
	MemoryContextReset(files->batch_context);
}

static void
flush_adds(StageFiles *files)
{
	FileBatch  *batch = files->adds;
	LiveMatch  *matches;
	int			n;

	refuse_twins(files, batch);
	n = deltatx_files_match(batch, &matches);
	for (int i = 0; i < n; i++)
		note_live(files, &matches[i]);

	batch->first_ord = files->call->next_add;
	deltatx_adds_insert(batch);
	files->call->next_add += batch->n;
	batch->n = 0;
}

/* Two adds of one path within a batch; those of other batches are rows by now. */
static int
by_path(const void *a, const void *b)
{
	const FileAction *left = *(FileAction *const *) a;
	const FileAction *right = *(FileAction *const *) b;

	return strcmp(left->path, right->path);
}

static void
refuse_twins(StageFiles *files, const FileBatch *batch)
{
	FileAction **sorted = palloc(sizeof(FileAction *) * batch->n);

	memcpy(sorted, batch->actions, sizeof(FileAction *) * batch->n);
	qsort(sorted, batch->n, sizeof(FileAction *), by_path);
	for (int i = 1; i < batch->n; i++)
	{
		int			last = batch->n - 1;

		if (strcmp(sorted[i - 1]->path, sorted[i]->path) != 0)
			continue;
		while (strcmp(batch->actions[last]->path, sorted[i]->path) != 0)
			last--;
		refuse_duplicate(files, batch->positions[last], sorted[i]->path,
						 "A commit adds a path at most once.");
	}
	pfree(sorted);
}

/* An add whose path is in the live set, or staged to join it. */
static void
note_live(StageFiles *files, const LiveMatch *match)
{
	const FileAction *add = files->adds->actions[match->index];
	int64		position = files->adds->positions[match->index];
	MemoryContext old;
	Renewal    *renewal;

	if (match->commit_id == files->call->commit_id)
		refuse_duplicate(files, position, add->path, "A commit adds a path at most once.");

	old = MemoryContextSwitchTo(files->call_context);
	renewal = palloc(sizeof(Renewal));
	renewal->position = position;
	renewal->path = pstrdup(add->path);
	renewal->dv_id = add->dv_id == NULL ? NULL : pstrdup(add->dv_id);
	renewal->data_change = add->data_change;
	renewal->live = *match;
	renewal->live.dv_id = match->dv_id == NULL ? NULL : pstrdup(match->dv_id);
	files->renewals = lappend(files->renewals, renewal);
	MemoryContextSwitchTo(old);
}

static void
flush_removes(StageFiles *files)
{
	FileBatch  *batch = files->removes;
	LiveMatch  *live = palloc0(sizeof(LiveMatch) * batch->n);
	LiveMatch  *matches;
	int			n = deltatx_files_match(batch, &matches);

	for (int i = 0; i < n; i++)
		if (matches[i].commit_id != files->call->commit_id)
			live[matches[i].index] = matches[i];
	for (int i = 0; i < batch->n; i++)
		check_removed(files, &live[i], i);

	deltatx_removes_insert(files->call->commit_id, files->call->next_remove, live,
						   batch->actions, batch->n, false);
	files->call->next_remove += batch->n;
	batch->n = 0;
}

/* live: what the i-th remove of the batch names; its commit_id is 0 when nothing. */
static void
check_removed(StageFiles *files, const LiveMatch *live, int i)
{
	const FileAction *remove = files->removes->actions[i];
	DocumentPlace place = {DTX_INVALID_ACTION, files->call->table_name,
	files->removes->positions[i], deltatx_action_name(ACTION_REMOVE)};

	if (live->commit_id == 0)
	{
		/* What the caller has read is no longer so: then that is the error. */
		deltatx_conflict_check(&(ConflictInput) {
			.table_name = place.table_name,
			.writes = true,
			.seen_version = files->call->seen_version,
			.expected_version = files->call->expected_version,
			.read_version = files->call->read_version,
			.current_version = files->call->seen_version,
		});
		place.condition = DTX_FILE_NOT_FOUND;
		deltatx_refuse(&place, "path",
					   "The path must be byte for byte that of the add, as deltatx_files() shows it.",
					   "file \"%s\" is not live", remove->path);
	}
	if (!same_vector(remove->dv_id, live->dv_id))
		deltatx_refuse(&place, "deletionVector", "Name the deletion vector that deltatx_files() shows.",
					   "the live file has another deletion vector");
	note_removed(files, live, &place);
	files->call->bytes_removed += live->size;
}

static void
note_removed(StageFiles *files, const LiveMatch *match, const DocumentPlace *place)
{
	RemovedFile entry = {{match->commit_id, match->ord}};
	bool		found;

	if (files->removed == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(entry.key), .entrysize = sizeof(RemovedFile)};

		control.hcxt = files->call_context;
		files->removed = hash_create("deltatx removed files", 1024, &control,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	(void) hash_search(files->removed, &entry.key, HASH_ENTER, &found);
	if (found)
		deltatx_refuse(place, "path", NULL, "a commit removes a file at most once");
}

/* Judge the adds of live paths, now that all removes are known. */
static void
settle_renewals(StageFiles *files)
{
	ListCell   *cell;

	foreach(cell, files->renewals)
	{
		Renewal    *renewal = lfirst(cell);
		RemovedFile entry = {{renewal->live.commit_id, renewal->live.ord}};
		bool		removed = files->removed != NULL &&
			hash_search(files->removed, &entry.key, HASH_FIND, NULL) != NULL;
		bool		same_file = same_vector(renewal->dv_id, renewal->live.dv_id);

		if (removed && !same_file)
			continue;
		if (removed || !same_file || renewal->data_change || files->overwrites)
			refuse_duplicate(files, renewal->position, renewal->path,
							 "Give a new file a new path; to change a file's deletion vector, remove it and add it with the new one in the same call.");

		deltatx_removes_insert(files->call->commit_id, files->call->next_remove++,
							   &renewal->live, NULL, 1, true);
		files->call->superseded++;
		files->call->bytes_removed += renewal->live.size;
		files->call->bytes_superseded += renewal->live.size;
	}
}

/* By uniqueId; NULL is no deletion vector. */
static bool
same_vector(const char *left, const char *right)
{
	if (left == NULL || right == NULL)
		return left == right;
	return strcmp(left, right) == 0;
}

static void
refuse_duplicate(StageFiles *files, int64 position, const char *path, const char *hint)
{
	DocumentPlace place = {DTX_DUPLICATE_FILE, files->call->table_name, position,
	deltatx_action_name(ACTION_ADD)};

	deltatx_refuse(&place, "path", hint, "file \"%s\" is in the table already", path);
}
