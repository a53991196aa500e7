/*-------------------------------------------------------------------------
 *
 * dv.c
 *	  Deletion vector descriptors.
 *
 * A deletion vector says which rows of a data file are gone.  The log holds
 * only a descriptor; the vector itself lies in a file beside the data (storage
 * type u: a UUID from which the name follows), in a file anywhere (p), or in
 * the descriptor (i).  We never read one.  But a descriptor that readers can't
 * follow makes the table unreadable, so we check what can be told from it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/action.h"
#include "action/dv.h"
#include "action/path.h"

/* A UUID's 16 bytes in Z85, which writes 4 bytes in 5 characters. */
#define Z85_UUID_LENGTH		20
#define Z85_GROUP			5

static const char *const z85_digits =
"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/* The descriptor's members. */
typedef struct Descriptor
{
	char	   *storage_type;
	char	   *path_or_inline;
	int64		offset;			/* -1: not given */
	int64		size;			/* -1: not given */
	int64		cardinality;	/* -1: not given */
} Descriptor;

static void read_member(JsonReader *reader, Descriptor *descriptor);
static void check(JsonReader *reader, const Descriptor *descriptor);
static const char *storage_problem(const Descriptor *descriptor);
static const char *relative_problem(const Descriptor *descriptor);
static const char *absolute_problem(const Descriptor *descriptor);
static const char *inline_problem(const Descriptor *descriptor);
static bool is_z85(const char *text);
static char *unique_id(const Descriptor *descriptor);

void
deltatx_dv_read(JsonReader *reader, DeletionVector *dv)
{
	const char *start = deltatx_json_here(reader);
	Descriptor	descriptor = {.offset = -1,.size = -1,.cardinality = -1};
	JsonObject	object;

	deltatx_json_enter_object(reader, &object, "deletionVector");
	while (deltatx_json_next_member(reader, &object))
		read_member(reader, &descriptor);
	check(reader, &descriptor);

	dv->json = deltatx_json_since(reader, start);
	dv->id = unique_id(&descriptor);
	dv->cardinality = descriptor.cardinality;
}

static void
read_member(JsonReader *reader, Descriptor *descriptor)
{
	const char *name = reader->key.data;

	if (deltatx_json_take_null(reader))
		return;
	if (strcmp(name, "storageType") == 0)
		descriptor->storage_type = deltatx_json_string(reader, "storageType");
	else if (strcmp(name, "pathOrInlineDv") == 0)
		descriptor->path_or_inline = deltatx_json_string(reader, "pathOrInlineDv");
	else if (strcmp(name, "offset") == 0)
		descriptor->offset = deltatx_json_integer(reader, "offset", 0, PG_INT32_MAX);
	else if (strcmp(name, "sizeInBytes") == 0)
		descriptor->size = deltatx_json_integer(reader, "sizeInBytes", 1, PG_INT32_MAX);
	else if (strcmp(name, "cardinality") == 0)
		descriptor->cardinality = deltatx_json_integer(reader, "cardinality", 0, PG_INT64_MAX);
	else
		deltatx_json_skip(reader);
}

static void
check(JsonReader *reader, const Descriptor *descriptor)
{
	const char *missing = NULL;
	const char *problem;

	if (descriptor->storage_type == NULL)
		missing = "storageType";
	else if (descriptor->path_or_inline == NULL)
		missing = "pathOrInlineDv";
	else if (descriptor->size < 0)
		missing = "sizeInBytes";
	else if (descriptor->cardinality < 0)
		missing = "cardinality";
	if (missing != NULL)
		deltatx_refuse(&reader->place, "deletionVector", NULL,
					   "%s is missing in deletionVector", missing);

	problem = storage_problem(descriptor);
	if (problem != NULL)
		deltatx_refuse(&reader->place, "deletionVector", NULL,
					   "deletionVector: %s", problem);
}

static const char *
storage_problem(const Descriptor *descriptor)
{
	const char *type = descriptor->storage_type;

	if (strcmp(type, "u") == 0)
		return relative_problem(descriptor);
	if (strcmp(type, "p") == 0)
		return absolute_problem(descriptor);
	if (strcmp(type, "i") == 0)
		return inline_problem(descriptor);
	return "storageType is none of u, p and i";
}

/* A directory, which may be empty, and a UUID in Z85. */
static const char *
relative_problem(const Descriptor *descriptor)
{
	const char *text = descriptor->path_or_inline;
	int			prefix_length = (int) strlen(text) - Z85_UUID_LENGTH;
	const char *problem = NULL;

	if (prefix_length < 0 || !is_z85(text + prefix_length))
		return "pathOrInlineDv does not end in a UUID in Z85";
	if (prefix_length > 0)
		problem = deltatx_path_problem(pnstrdup(text, prefix_length));
	return problem ? psprintf("the directory in pathOrInlineDv %s", problem) : NULL;
}

static const char *
absolute_problem(const Descriptor *descriptor)
{
	const char *problem = deltatx_path_problem(descriptor->path_or_inline);

	if (problem != NULL)
		return psprintf("pathOrInlineDv %s", problem);
	if (!deltatx_path_is_absolute(descriptor->path_or_inline))
		return "pathOrInlineDv is no absolute URI";
	return NULL;
}

/* The last group is filled up, so that only the size tells where the vector ends. */
static const char *
inline_problem(const Descriptor *descriptor)
{
	int64		groups = strlen(descriptor->path_or_inline) / Z85_GROUP;

	if (!is_z85(descriptor->path_or_inline))
		return "pathOrInlineDv is not Z85";
	if (descriptor->size > groups * 4 || descriptor->size <= (groups - 1) * 4)
		return "sizeInBytes is not that of pathOrInlineDv";
	if (descriptor->offset >= 0)
		return "offset is given for an inline vector";
	return NULL;
}

/* Whole groups, none of them above 32 bits. */
static bool
is_z85(const char *text)
{
	uint64		group = 0;
	int			n = 0;

	for (; text[n] != '\0'; n++)
	{
		const char *digit = strchr(z85_digits, text[n]);

		if (digit == NULL)
			return false;
		group = (n % Z85_GROUP == 0 ? 0 : group * 85) + (digit - z85_digits);
		if (group > PG_UINT32_MAX)
			return false;
	}
	return n % Z85_GROUP == 0;
}

static char *
unique_id(const Descriptor *descriptor)
{
	if (descriptor->offset < 0)
		return psprintf("%s%s", descriptor->storage_type, descriptor->path_or_inline);
	return psprintf("%s%s@" INT64_FORMAT, descriptor->storage_type,
					descriptor->path_or_inline, descriptor->offset);
}
