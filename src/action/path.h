/*-------------------------------------------------------------------------
 *
 * path.h
 *	  Paths of data files: what the files of action/ share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_PATH_H
#define DELTATX_PATH_H

#include "action/action.h"

/* Does path begin with a URI's scheme? */
extern bool deltatx_path_is_absolute(const char *path);

/* Is a relative path's first directory the one named? */
extern bool deltatx_path_is_within(const char *path, const char *directory);

/*
 * Decode %XX escapes: those of a URI, and Hive's in the names of directories,
 * which look the same.  A percent sign that begins no escape stays.
 */
extern char *deltatx_percent_decode(const char *text, size_t length);

/* Append c as %XX. */
extern void deltatx_percent_encode(StringInfo out, char c);

/* May c stand for itself in the path of a URI? */
extern bool deltatx_path_is_plain(char c);

#endif							/* DELTATX_PATH_H */
