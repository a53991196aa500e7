/*-------------------------------------------------------------------------
 *
 * locations.h
 *	  Where tables lie.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DELTATX_LOCATIONS_H
#define DELTATX_LOCATIONS_H

/*
 * The one spelling of a location: no trailing slash, no empty segment, no
 * "." or "..".  Raises InvalidDefinition, and UnsupportedFeature for kinds of
 * stores that this version can't publish to.
 */
extern char *deltatx_location_normalize(const char *location, const char *table_name);

/* Check the spelling of what a server covers: a location, a bucket, or the root directory. */
extern void deltatx_location_check_server(const char *location);

/*
 * Take the location for the current transaction: LocationInUse when a table
 * lies at, within or around it.  Waits for concurrent creations that would.
 * Inside a catalog scope.
 */
extern void deltatx_location_reserve(const char *location, const char *table_name);

#endif							/* DELTATX_LOCATIONS_H */
