/*-------------------------------------------------------------------------
 *
 * args.h
 *	  Arguments of SQL functions, most of which may be NULL.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_ARGS_H
#define DELTATX_ARGS_H

#include "fmgr.h"
#include "funcapi.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "compat.h"

/* NULL where the argument is. */
extern char *deltatx_arg_text(FunctionCallInfo fcinfo, int n);
extern Jsonb *deltatx_arg_jsonb(FunctionCallInfo fcinfo, int n);
extern int64 deltatx_arg_int64(FunctionCallInfo fcinfo, int n, int64 if_null);

/* A version that a table has or will have, or NO_VERSION for NULL. */
extern int64 deltatx_arg_version(FunctionCallInfo fcinfo, int n, const char *name,
								 const char *table_name);

/* A text[], as a list of char *; NIL for NULL.  name is for the error about a NULL element. */
extern List *deltatx_arg_strings(FunctionCallInfo fcinfo, int n, const char *name);

/* An interval, in milliseconds; if_null for NULL.  Refuses negative ones and those with months. */
extern int	deltatx_arg_milliseconds(FunctionCallInfo fcinfo, int n, const char *name, int if_null);

/*
 * operationParameters from a JSON object: Spark reads its values as strings,
 * so others become their JSON text.  NULL for NULL.
 */
extern char *deltatx_jsonb_parameters(Jsonb *object, const char *table_name);

/* An argument without which the function means nothing: 22004 for NULL. */
extern char *deltatx_arg_required_text(FunctionCallInfo fcinfo, int n, const char *name);

/* UnsupportedFeature: an argument whose behaviour this version doesn't have. */
extern void deltatx_arg_refuse(const char *name, const char *table_name) pg_attribute_noreturn();

#endif							/* DELTATX_ARGS_H */
