/*-------------------------------------------------------------------------
 *
 * parse.h
 *	  What parse.c asks of the files that parse one kind of action each.
 *
 * Every function reads the value of an action's key ("add": {...}) into the
 * action, whose kind is set and whose other members are zero.  Strings go to
 * the current memory context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_PARSE_H
#define DELTATX_PARSE_H

#include "action/action.h"
#include "action/json_reader.h"
#include "compat.h"

/* parse_file.c: add, remove, cdc */
extern void deltatx_parse_file(JsonReader *reader, Action *action);

/* parse_control.c */
extern void deltatx_parse_metadata(JsonReader *reader, MetadataAction *metadata);
extern void deltatx_parse_protocol(JsonReader *reader, ProtocolAction *protocol);
extern void deltatx_parse_txn(JsonReader *reader, TxnAction *txn);
extern void deltatx_parse_domain(JsonReader *reader, DomainAction *domain);

/* parse_info.c */
extern void deltatx_parse_commit_info(JsonReader *reader, CommitInfoAction *info);

/* An object, every value of which is made a string. */
extern char *deltatx_json_stringified(JsonReader *reader, const char *field);

/*----------
 * parse.c: what these have in common.
 *----------
 */

/* Members that have no field of their own; start with the zero value. */
typedef struct ExtraMembers
{
	StringInfoData text;		/* data is NULL as long as there are none */
} ExtraMembers;

/* Read the value that the reader stands on, and keep the member. */
extern void deltatx_extra_keep(ExtraMembers *extra, JsonReader *reader);

/* Keep a member whose value was just read; "member" was its raw_key. */
extern void deltatx_extra_append(ExtraMembers *extra, JsonReader *reader,
								 const char *member);

/* A field that the protocol requires is not there. */
extern void deltatx_refuse_missing(JsonReader *reader, const char *field)
			pg_attribute_noreturn();

/* A string; "" is refused. */
extern char *deltatx_json_nonempty(JsonReader *reader, const char *field);

/* A string, or NULL for null. */
extern char *deltatx_json_optional_string(JsonReader *reader, const char *field);

#endif							/* DELTATX_PARSE_H */
