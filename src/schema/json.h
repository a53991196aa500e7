/*-------------------------------------------------------------------------
 *
 * json.h
 *	  JSON documents as trees that keep order and spelling.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_SCHEMA_JSON_H
#define DELTATX_SCHEMA_JSON_H

#include "compat.h"
#include "errors.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

typedef struct JsonNode
{
	JsonTokenType kind;			/* OBJECT_START, ARRAY_START, STRING, NUMBER, TRUE, FALSE, NULL */
	char	   *text;			/* scalars: the string's content, or the token */
	List	   *keys;			/* objects: of char *, in the given order */
	List	   *values;			/* objects and arrays: of JsonNode * */
} JsonNode;

/*
 * Raises MalformedJson for what isn't JSON, and place->condition for a key
 * given twice in one object and for a document nested too deeply.  field says
 * what the document is, e.g. "schemaString".
 */
extern JsonNode *deltatx_json_parse(const char *text, const char *field,
									const DocumentPlace *place);

/* NULL when node is no object or has no such member. */
extern JsonNode *deltatx_json_member(const JsonNode *node, const char *key);

/* Without white space; order and numbers as they were given. */
extern void deltatx_json_append(StringInfo out, const JsonNode *node);

#endif							/* DELTATX_SCHEMA_JSON_H */
