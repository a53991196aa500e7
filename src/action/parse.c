/*-------------------------------------------------------------------------
 *
 * parse.c
 *	  Documents of Delta actions, from text or jsonb to one action at a time.
 *
 * A document may hold a hundred thousand actions, so nothing is ever built of
 * the whole: one lexer runs over the text, and each action is handed over as
 * soon as it is complete.  Lines and arrays hardly differ then.  In lines,
 * line ends are blanks like any other for the lexer; that two actions don't
 * share a line is checked between them, and an action may as well spread over
 * several lines.
 *
 * jsonb holds the same documents taken apart.  Each of its elements is turned
 * back into text and takes the same way, which costs less than a second set
 * of readers that would have to agree with the first in every detail.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "action/action.h"
#include "action/json_reader.h"
#include "action/parse.h"

/*
 * What is longer can't be a row of a query any more, nor a line that a reader
 * takes, by the time its strings have been escaped once or twice.
 */
#define MAX_ACTION_BYTES	(64 * 1024 * 1024)

/* A document on its way to the sink. */
typedef struct ActionParser
{
	JsonReader	reader;
	MemoryContext action_context;
	ActionSink	sink;
	void	   *arg;
	int64		n_actions;
} ActionParser;

static const char *const action_names[] = {
	[ACTION_ADD] = "add",
	[ACTION_REMOVE] = "remove",
	[ACTION_CDC] = "cdc",
	[ACTION_METADATA] = "metaData",
	[ACTION_PROTOCOL] = "protocol",
	[ACTION_TXN] = "txn",
	[ACTION_DOMAIN] = "domainMetadata",
	[ACTION_COMMIT_INFO] = "commitInfo",
};

static void parse_array(ActionParser *parser);
static void parse_lines(ActionParser *parser);
static void parse_element(ActionParser *parser, const JsonbValue *element,
						  const DocumentPlace *place, StringInfo text);
static void parse_next(ActionParser *parser);
static Action *parse_action(JsonReader *reader);
static ActionKind action_kind(JsonReader *reader);
static void parse_content(JsonReader *reader, Action *action);

const char *
deltatx_action_name(ActionKind kind)
{
	return action_names[kind];
}

int64
deltatx_action_parse_text(const char *text, size_t length, const char *table_name,
						  MemoryContext action_context, ActionSink sink, void *arg)
{
	ActionParser parser = {.action_context = action_context,.sink = sink,.arg = arg};
	DocumentPlace place = {.condition = DTX_INVALID_ACTION,.table_name = table_name,.position = 1};

	deltatx_json_open(&parser.reader, text, length, &place, NULL);
	if (deltatx_json_token(&parser.reader) == JSON_TOKEN_ARRAY_START)
		parse_array(&parser);
	else
		parse_lines(&parser);
	deltatx_json_close(&parser.reader);

	return parser.n_actions;
}

int64
deltatx_action_parse_jsonb(Jsonb *document, const char *table_name,
						   MemoryContext action_context, ActionSink sink, void *arg)
{
	ActionParser parser = {.action_context = action_context,.sink = sink,.arg = arg};
	DocumentPlace place = {.condition = DTX_INVALID_ACTION,.table_name = table_name,.position = 1};
	JsonbIterator *iterator = JsonbIteratorInit(&document->root);
	StringInfoData text;
	JsonbValue	value;

	initStringInfo(&text);
	if (JsonbIteratorNext(&iterator, &value, true) == WJB_BEGIN_ARRAY)
	{
		/* A bare scalar is an array of one, and refused as an element. */
		while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM)
			parse_element(&parser, &value, &place, &text);
	}
	else
	{
		JsonbToJsonbValue(document, &value);
		parse_element(&parser, &value, &place, &text);
	}
	pfree(text.data);

	return parser.n_actions;
}

static void
parse_array(ActionParser *parser)
{
	bool		first;

	deltatx_json_enter_array(&parser->reader, &first, "actions");
	while (deltatx_json_next_element(&parser->reader, &first))
		parse_next(parser);
	deltatx_json_expect_end(&parser->reader);
}

static void
parse_lines(ActionParser *parser)
{
	JsonReader *reader = &parser->reader;

	while (deltatx_json_token(reader) != JSON_TOKEN_END)
	{
		if (parser->n_actions > 0 && deltatx_json_token(reader) == JSON_TOKEN_OBJECT_START &&
			memchr(reader->lex->prev_token_terminator, '\n',
				   reader->lex->token_start - reader->lex->prev_token_terminator) == NULL)
			deltatx_refuse(&reader->place, NULL,
						   "Begin a new line for every action, or put all of them into a JSON array.",
						   "the action does not begin a line");
		parse_next(parser);
	}
}

static void
parse_element(ActionParser *parser, const JsonbValue *element,
			  const DocumentPlace *place, StringInfo text)
{
	DocumentPlace here = *place;

	here.position = parser->n_actions + 1;
	if (element->type != jbvBinary)
		deltatx_refuse(&here, NULL, "Give an array of actions, or a single one.",
					   "an action must be a JSON object");

	resetStringInfo(text);
	JsonbToCString(text, element->val.binary.data, element->val.binary.len);
	deltatx_json_open(&parser->reader, text->data, text->len, &here, NULL);
	parse_next(parser);
	deltatx_json_close(&parser->reader);
}

/*
 * Parse one action and hand it over.  The sink runs in the caller's memory
 * context, because it may reset the one that holds the action.
 */
static void
parse_next(ActionParser *parser)
{
	const char *start = deltatx_json_here(&parser->reader);
	MemoryContext caller_context;
	Action	   *action;

	CHECK_FOR_INTERRUPTS();

	caller_context = MemoryContextSwitchTo(parser->action_context);
	action = parse_action(&parser->reader);
	MemoryContextSwitchTo(caller_context);
	if (deltatx_json_length_since(&parser->reader, start) > MAX_ACTION_BYTES)
		deltatx_refuse(&parser->reader.place, NULL, NULL,
					   "the action is longer than %d bytes", MAX_ACTION_BYTES);

	parser->n_actions++;
	parser->reader.place.position++;
	parser->sink(action, parser->arg);
}

/* {"add": {...}} */
static Action *
parse_action(JsonReader *reader)
{
	Action	   *action = palloc0(sizeof(Action));
	JsonObject	object;

	action->position = reader->place.position;
	deltatx_json_enter_object(reader, &object, "action");
	if (!deltatx_json_next_member(reader, &object))
		deltatx_refuse(&reader->place, NULL, NULL, "the object holds no action");

	action->kind = action_kind(reader);
	reader->place.action = action_names[action->kind];
	parse_content(reader, action);
	reader->place.action = NULL;

	if (deltatx_json_next_member(reader, &object))
		deltatx_refuse(&reader->place, NULL, "Give every action an object of its own.",
					   "the object holds more than one action");
	return action;
}

/* The kind that the member's name tells. */
static ActionKind
action_kind(JsonReader *reader)
{
	for (ActionKind kind = 0; kind < lengthof(action_names); kind++)
	{
		if (strcmp(reader->key.data, action_names[kind]) == 0)
			return kind;
	}
	deltatx_refuse(&reader->place, NULL,
				   "An action is one of add, remove, cdc, metaData, protocol, txn, domainMetadata and commitInfo.",
				   "unknown kind of action \"%.*s\"",
				   pg_mbcliplen(reader->key.data, reader->key.len, NAMEDATALEN),
				   reader->key.data);
}

static void
parse_content(JsonReader *reader, Action *action)
{
	switch (action->kind)
	{
		case ACTION_ADD:
		case ACTION_REMOVE:
		case ACTION_CDC:
			deltatx_parse_file(reader, action);
			break;
		case ACTION_METADATA:
			deltatx_parse_metadata(reader, &action->u.metadata);
			break;
		case ACTION_PROTOCOL:
			deltatx_parse_protocol(reader, &action->u.protocol);
			break;
		case ACTION_TXN:
			deltatx_parse_txn(reader, &action->u.txn);
			break;
		case ACTION_DOMAIN:
			deltatx_parse_domain(reader, &action->u.domain);
			break;
		case ACTION_COMMIT_INFO:
			deltatx_parse_commit_info(reader, &action->u.info);
			break;
	}
}

void
deltatx_extra_keep(ExtraMembers *extra, JsonReader *reader)
{
	const char *member = reader->raw_key;

	deltatx_json_skip(reader);
	deltatx_extra_append(extra, reader, member);
}

void
deltatx_extra_append(ExtraMembers *extra, JsonReader *reader, const char *member)
{
	if (extra->text.data == NULL)
		initStringInfo(&extra->text);
	else
		appendStringInfoChar(&extra->text, ',');
	deltatx_json_append_since(reader, member, &extra->text);
}

void
deltatx_refuse_missing(JsonReader *reader, const char *field)
{
	deltatx_refuse(&reader->place, field, NULL, "%s is missing", field);
}

char *
deltatx_json_nonempty(JsonReader *reader, const char *field)
{
	char	   *result = deltatx_json_string(reader, field);

	if (result[0] == '\0')
		deltatx_refuse(&reader->place, field, NULL, "%s is empty", field);
	return result;
}

char *
deltatx_json_optional_string(JsonReader *reader, const char *field)
{
	return deltatx_json_take_null(reader) ? NULL : deltatx_json_string(reader, field);
}
