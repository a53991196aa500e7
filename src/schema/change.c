/*-------------------------------------------------------------------------
 *
 * change.c
 *	  May a table go from one shape to another?
 *
 * The data files stay as they are when a schema changes, so whatever is
 * allowed must keep every file readable: a column that is new is null in old
 * files, and a column that is there must be found there, under its name and
 * with its type.  Names are the only link between schema and files (there is
 * no column mapping), which is why nothing is dropped, renamed or retyped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "schema/features.h"
#include "schema/types.h"

typedef struct ChangeState
{
	bool		has_files;
	const DocumentPlace *place;
} ChangeState;

static void check_identity(const MetadataAction *old, const MetadataAction *new,
						   const DocumentPlace *place);
static void check_partitioning(const List *old, const List *new, const DocumentPlace *place);
static void check_properties(const TableShape *old, const TableShape *new,
							 const DocumentPlace *place);
static void check_fence(const TableShape *old, const TableShape *new,
						const DocumentPlace *place);
static void check_fields(const ChangeState *state, const DeltaSchema *old,
						 const DeltaSchema *new, const char *parent);
static void check_kept(const ChangeState *state, const DeltaField *old,
					   const DeltaSchema *new, const char *parent);
static void check_added(const ChangeState *state, const DeltaField *field, const char *parent);
static void check_type(const ChangeState *state, const DeltaType *old,
					   const DeltaType *new, const char *path);
static void check_nullability(const ChangeState *state, bool old_nullable, bool new_nullable,
							  const char *path);
static const DeltaField *find_field(const DeltaSchema *schema, const char *name);
static const DeltaField *find_field_any_case(const DeltaSchema *schema, const char *name);

void
deltatx_shape_check_change(const TableShape *old, const TableShape *new,
						   bool has_files, const DocumentPlace *place)
{
	ChangeState state = {has_files, place};

	check_identity(&old->metadata, &new->metadata, place);
	check_partitioning(old->metadata.partition_columns, new->metadata.partition_columns, place);
	check_properties(old, new, place);
	check_fence(old, new, place);
	deltatx_features_check_listed(new, place);
	check_fields(&state, old->schema, new->schema, NULL);
}

static void
check_identity(const MetadataAction *old, const MetadataAction *new, const DocumentPlace *place)
{
	if (strcmp(old->id, new->id) != 0)
		deltatx_refuse(place, "id", "A metaData action repeats the table's id.",
					   "the table's id is \"%s\" and cannot become \"%s\"", old->id, new->id);
	if (old->created_time != -1 && new->created_time != -1 && old->created_time != new->created_time)
		deltatx_refuse(place, "createdTime", "Leave it out, or repeat the table's own.",
					   "the table's creation time cannot change");
}

static void
check_partitioning(const List *old, const List *new, const DocumentPlace *place)
{
	bool		same = list_length(old) == list_length(new);

	for (int i = 0; same && i < list_length(old); i++)
		same = strcmp(list_nth(old, i), list_nth(new, i)) == 0;
	if (!same)
		deltatx_refuse(place, "partitionColumns",
					   "Make another table with the new partitioning, and move the data.",
					   "partition columns cannot change");
}

/* What was set before may stay, even if we would not take it today: it may come from elsewhere. */
static void
check_properties(const TableShape *old, const TableShape *new, const DocumentPlace *place)
{
	List	   *changed = NIL;
	ListCell   *lc;

	foreach(lc, new->metadata.configuration)
	{
		Property   *property = lfirst(lc);
		const char *before = deltatx_property(old->metadata.configuration, property->key);

		if (before == NULL || strcmp(before, property->value) != 0)
			changed = lappend(changed, property);
	}
	deltatx_properties_check(changed, place);

	if (deltatx_property(old->metadata.configuration, "delta.enableInCommitTimestamps") != NULL &&
		deltatx_property(new->metadata.configuration, "delta.enableInCommitTimestamps") == NULL)
		deltatx_refuse(place, "configuration", "Keep it in the configuration.",
					   "property \"delta.enableInCommitTimestamps\" cannot be taken away");
}

static void
check_fence(const TableShape *old, const TableShape *new, const DocumentPlace *place)
{
	if (old->fence && !new->fence)
		deltatx_refuse(place, "configuration",
					   "A table can do without a fence only from its first version on.",
					   "the fence of a table cannot be taken away");
}

static void
check_fields(const ChangeState *state, const DeltaSchema *old,
			 const DeltaSchema *new, const char *parent)
{
	for (int i = 0; i < old->nfields; i++)
		check_kept(state, &old->fields[i], new, parent);
	for (int i = 0; i < new->nfields; i++)
	{
		if (find_field(old, new->fields[i].name) == NULL)
			check_added(state, &new->fields[i], parent);
	}
}

static void
check_kept(const ChangeState *state, const DeltaField *old,
		   const DeltaSchema *new, const char *parent)
{
	const DeltaField *field = find_field(new, old->name);
	char	   *path = deltatx_column_path(parent, old->name);

	if (field == NULL)
	{
		field = find_field_any_case(new, old->name);
		if (field != NULL)
			deltatx_refuse(state->place, "schemaString",
						   "Data files are read by the column's exact name: keep its spelling.",
						   "column \"%s\" cannot be renamed to \"%s\"", path, field->name);
		deltatx_refuse(state->place, "schemaString",
					   "Columns can be added, not dropped or renamed: the data files have the old ones.",
					   "column \"%s\" is missing in the new schema", path);
	}
	check_type(state, old->type, field->type, path);
	check_nullability(state, old->nullable, field->nullable, path);
}

static void
check_added(const ChangeState *state, const DeltaField *field, const char *parent)
{
	if (state->has_files && !field->nullable)
		deltatx_refuse(state->place, "schemaString",
					   "Add it without NOT NULL: it is null in the files that are there.",
					   "new column \"%s\" is NOT NULL, but the table has data files",
					   deltatx_column_path(parent, field->name));
}

static void
check_type(const ChangeState *state, const DeltaType *old, const DeltaType *new, const char *path)
{
	check_stack_depth();

	if (old->kind != new->kind || old->precision != new->precision || old->scale != new->scale)
		deltatx_refuse(state->place, "schemaString",
					   "Add a column of the new type instead.",
					   "column \"%s\" cannot change its type from %s to %s", path,
					   deltatx_type_to_string(old), deltatx_type_to_string(new));

	check_fields(state, &old->fields, &new->fields, path);
	if (old->key != NULL)
		check_type(state, old->key, new->key, deltatx_column_path(path, "key"));
	if (old->element != NULL)
	{
		char	   *element = deltatx_column_path(path, old->kind == DELTA_MAP ? "value" : "element");

		check_type(state, old->element, new->element, element);
		check_nullability(state, old->contains_null, new->contains_null, element);
	}
}

static void
check_nullability(const ChangeState *state, bool old_nullable, bool new_nullable, const char *path)
{
	if (state->has_files && old_nullable && !new_nullable)
		deltatx_refuse(state->place, "schemaString",
					   "The data files may hold nulls there: NOT NULL can be set only while the table has no files.",
					   "column \"%s\" cannot become NOT NULL", path);
}

static const DeltaField *
find_field(const DeltaSchema *schema, const char *name)
{
	for (int i = 0; i < schema->nfields; i++)
	{
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	}
	return NULL;
}

static const DeltaField *
find_field_any_case(const DeltaSchema *schema, const char *name)
{
	char	   *folded = deltatx_name_folded(name);

	for (int i = 0; i < schema->nfields; i++)
	{
		if (strcmp(deltatx_name_folded(schema->fields[i].name), folded) == 0)
			return &schema->fields[i];
	}
	return NULL;
}
