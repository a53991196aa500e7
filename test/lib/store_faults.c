/*-------------------------------------------------------------------------
 *
 * store_faults.c
 *	  A local store that fails on demand, by LD_PRELOAD.
 *
 * Publishing ends with linkat(2).  The file that STORE_FAULT names says what
 * becomes of it: nothing or no file, it works; "error N", it fails with errno
 * N; "before", it hangs before it does its work for as long as the file says
 * so; "after", it does its work and hangs then.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int (*linkat_function) (int, const char *, int, const char *, int);

/* The first word of the fault file, and its number. */
static const char *
fault(int *number)
{
	static char word[32];
	const char *path = getenv("STORE_FAULT");
	FILE	   *file = path ? fopen(path, "r") : NULL;

	*number = 0;
	if (file == NULL || fscanf(file, "%31s %d", word, number) < 1)
		word[0] = '\0';
	if (file != NULL)
		fclose(file);
	return word;
}

static void
hang_while(const char *word)
{
	int			number;

	while (strcmp(fault(&number), word) == 0)
		usleep(10000);
}

int
linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	linkat_function real = (linkat_function) dlsym(RTLD_NEXT, "linkat");
	int			number;
	int			result;

	if (strcmp(fault(&number), "error") == 0)
	{
		errno = number;
		return -1;
	}
	hang_while("before");
	result = real(from_directory, from, to_directory, to, flags);
	number = errno;
	hang_while("after");
	errno = number;
	return result;
}
