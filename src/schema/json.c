/*-------------------------------------------------------------------------
 *
 * json.c
 *	  JSON documents as trees that keep order and spelling.
 *
 * A schema carries metadata that other engines put there, and it must come
 * out as it went in: keys in their order, numbers as they were written.
 * jsonb keeps neither, and takes the last of two equal keys without a word.
 * So we build a plain tree from the parser's events.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/json.h"

#include "schema/json.h"

/* Schemas nest by three levels of JSON for each of their own. */
#define MAX_NESTING		128

typedef struct TreeBuilder
{
	const char *field;
	const DocumentPlace *place;
	JsonNode   *root;
	List	   *open;			/* of JsonNode *, the innermost last */
	char	   *key;			/* of the member whose value comes next */
} TreeBuilder;

static JsonActionResult on_object_start(void *state);
static JsonActionResult on_array_start(void *state);
static JsonActionResult on_object_end(void *state);
static JsonActionResult on_array_end(void *state);
static JsonActionResult on_member(void *state, char *key, bool isnull);
static JsonActionResult on_scalar(void *state, char *token, JsonTokenType kind);
static JsonNode *add_node(TreeBuilder *builder, JsonTokenType kind);
static void open_node(TreeBuilder *builder, JsonTokenType kind);
static void refuse_duplicates(const TreeBuilder *builder, const List *keys);
static void refuse_malformed(const TreeBuilder *builder, const char *problem) pg_attribute_noreturn();
static int	compare_keys(const ListCell *a, const ListCell *b);
static void append_members(StringInfo out, const JsonNode *node);

JsonNode *
deltatx_json_parse(const char *text, const char *field, const DocumentPlace *place)
{
	TreeBuilder builder = {.field = field, .place = place};
	JsonSemAction actions = {
		.semstate = &builder,
		.object_start = on_object_start,
		.object_end = on_object_end,
		.array_start = on_array_start,
		.array_end = on_array_end,
		.object_field_start = on_member,
		.scalar = on_scalar,
	};
	JsonLexContext *lex = deltatx_json_lexer(text, strlen(text), true);
	JsonParseErrorType error = pg_parse_json(lex, &actions);

	if (error != JSON_SUCCESS)
		refuse_malformed(&builder, json_errdetail(error, lex));
	deltatx_json_lexer_free(lex);
	return builder.root;
}

JsonNode *
deltatx_json_member(const JsonNode *node, const char *key)
{
	ListCell   *name;
	ListCell   *value;

	if (node->kind != JSON_TOKEN_OBJECT_START)
		return NULL;
	forboth(name, node->keys, value, node->values)
	{
		if (strcmp(lfirst(name), key) == 0)
			return lfirst(value);
	}
	return NULL;
}

void
deltatx_json_append(StringInfo out, const JsonNode *node)
{
	check_stack_depth();

	switch (node->kind)
	{
		case JSON_TOKEN_OBJECT_START:
			appendStringInfoChar(out, '{');
			append_members(out, node);
			appendStringInfoChar(out, '}');
			break;
		case JSON_TOKEN_ARRAY_START:
			appendStringInfoChar(out, '[');
			append_members(out, node);
			appendStringInfoChar(out, ']');
			break;
		case JSON_TOKEN_STRING:
			escape_json(out, node->text);
			break;
		default:
			appendStringInfoString(out, node->text);
	}
}

static JsonActionResult
on_object_start(void *state)
{
	open_node(state, JSON_TOKEN_OBJECT_START);
	JSON_ACTION_OK;
}

static JsonActionResult
on_array_start(void *state)
{
	open_node(state, JSON_TOKEN_ARRAY_START);
	JSON_ACTION_OK;
}

static JsonActionResult
on_object_end(void *state)
{
	TreeBuilder *builder = state;
	JsonNode   *object = llast(builder->open);

	refuse_duplicates(builder, object->keys);
	builder->open = list_delete_last(builder->open);
	JSON_ACTION_OK;
}

static JsonActionResult
on_array_end(void *state)
{
	TreeBuilder *builder = state;

	builder->open = list_delete_last(builder->open);
	JSON_ACTION_OK;
}

static JsonActionResult
on_member(void *state, char *key, bool isnull)
{
	((TreeBuilder *) state)->key = key;
	JSON_ACTION_OK;
}

static JsonActionResult
on_scalar(void *state, char *token, JsonTokenType kind)
{
	add_node(state, kind)->text = token;
	JSON_ACTION_OK;
}

/* Make a node, hung where the document stands. */
static JsonNode *
add_node(TreeBuilder *builder, JsonTokenType kind)
{
	JsonNode   *node = palloc0(sizeof(JsonNode));
	JsonNode   *parent = builder->open == NIL ? NULL : llast(builder->open);

	node->kind = kind;
	if (parent == NULL)
		builder->root = node;
	else
	{
		if (parent->kind == JSON_TOKEN_OBJECT_START)
			parent->keys = lappend(parent->keys, builder->key);
		parent->values = lappend(parent->values, node);
	}
	return node;
}

static void
open_node(TreeBuilder *builder, JsonTokenType kind)
{
	if (list_length(builder->open) >= MAX_NESTING)
		deltatx_refuse(builder->place, builder->field, NULL,
					   "%s is nested more than %d levels deep",
					   builder->field, MAX_NESTING);
	builder->open = lappend(builder->open, add_node(builder, kind));
}

static void
refuse_duplicates(const TreeBuilder *builder, const List *keys)
{
	List	   *sorted = list_copy(keys);
	const char *previous = NULL;
	ListCell   *lc;

	list_sort(sorted, compare_keys);
	foreach(lc, sorted)
	{
		const char *key = lfirst(lc);

		if (previous != NULL && strcmp(previous, key) == 0)
			deltatx_refuse(builder->place, builder->field, NULL,
						   "%s has the key \"%s\" twice in one object",
						   builder->field, key);
		previous = key;
	}
	list_free(sorted);
}

static int
compare_keys(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/* problem: a sentence, as the parser tells it */
static void
refuse_malformed(const TreeBuilder *builder, const char *problem)
{
	DocumentPlace place = *builder->place;
	int			length = strlen(problem);

	if (length > 0 && problem[length - 1] == '.')
		length--;
	place.condition = DTX_MALFORMED_JSON;
	deltatx_refuse(&place, builder->field, NULL, "%s is not valid JSON: %.*s",
				   builder->field, length, problem);
}

static void
append_members(StringInfo out, const JsonNode *node)
{
	for (int i = 0; i < list_length(node->values); i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		if (node->kind == JSON_TOKEN_OBJECT_START)
		{
			escape_json(out, list_nth(node->keys, i));
			appendStringInfoChar(out, ':');
		}
		deltatx_json_append(out, list_nth(node->values, i));
	}
}
