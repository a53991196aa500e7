/*-------------------------------------------------------------------------
 *
 * arrays.h
 *	  SQL arrays for catalog statements, from C and back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_ARRAYS_H
#define DELTATX_ARRAYS_H

#include "nodes/pg_list.h"

extern Datum deltatx_int8_array(const int64 *values, int n);
extern Datum deltatx_bool_array(const bool *values, int n);

/* Of text; a NULL string becomes an SQL NULL. */
extern Datum deltatx_text_array(char *const *values, int n);
extern Datum deltatx_text_array_of_list(const List *strings);

/* The elements of a text[] that has no NULLs, in the current memory context. */
extern List *deltatx_text_array_to_list(Datum array);

#endif							/* DELTATX_ARRAYS_H */
