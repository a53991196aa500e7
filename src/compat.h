/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  What differs between PostgreSQL 15 and 18, in one place.
 *
 * Feature code is written against the newest signature; older versions are
 * brought up to it here.  No other file tests PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_COMPAT_H
#define DELTATX_COMPAT_H

#include "catalog/pg_database.h"
#include "catalog/pg_foreign_server.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "deltatx supports PostgreSQL 15 to 18"
#endif

/* varatt.h was split off postgres.h in 16 (commit d952373a987). */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 says it in front of the declaration (commit 91f5a4a000e); behind it means the same to the compilers we know. */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/*
 * JSON semantic actions return JsonParseErrorType since 16 (commit
 * b42fa5fbf15); before, they returned nothing.
 */
#if PG_VERSION_NUM >= 160000
typedef JsonParseErrorType JsonActionResult;
#define JSON_ACTION_OK	return JSON_SUCCESS
#else
typedef void JsonActionResult;
#define JSON_ACTION_OK	return
#endif

/* A lexer over a string that need not end in NUL; caller passes NULL or its own. */
static inline JsonLexContext *
deltatx_json_lexer(const char *json, size_t length, bool need_escapes)
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, (char *) json, length,
										GetDatabaseEncoding(), need_escapes);
#else
	return makeJsonLexContextCstringLen((char *) json, (int) length,
										GetDatabaseEncoding(), need_escapes);
#endif
}

static inline void
deltatx_json_lexer_free(JsonLexContext *lex)
{
#if PG_VERSION_NUM >= 170000
	freeJsonLexContext(lex);
#else
	if (lex->strval)
	{
		pfree(lex->strval->data);
		pfree(lex->strval);
	}
	pfree(lex);
#endif
}

/* Named wait events for extensions came with 17 (commit c9af0546653). */
static inline uint32
deltatx_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* Object checks became generic with 16 (commit c727f511bd7). */
static inline bool
deltatx_owns_database(Oid database, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, role);
#else
	return pg_database_ownercheck(database, role);
#endif
}

static inline bool
deltatx_may_use_server(Oid server, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, server, role, ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_foreign_server_aclcheck(server, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

#endif							/* DELTATX_COMPAT_H */
