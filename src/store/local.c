/*-------------------------------------------------------------------------
 *
 * local.c
 *	  A directory of this machine, or of a file system mounted here, as store.
 *
 * Create-only, whole or not at all, and durable: the bytes go to a temporary
 * file with a hidden name beside the target, which gets the commit's time as
 * mtime (delta-rs travels in time by it) and is flushed; link(2) gives it its
 * name, and fails when that is taken, also over NFS; then the directory is
 * flushed, and the temporary name goes.  rename(2) would overwrite.  A flush
 * costs most, so several files go through these steps together.  Where we die
 * in between:
 *
 *	- before link: the temporary file stays, hidden from readers, until the
 *	  next worker tidies up.  Its name is random, so that two servers that by
 *	  mistake publish the same table don't write into each other's file; if
 *	  one tidies away the other's, that one's link fails, and is repeated.
 *	- after link, before the flush of the directory: the retry finds the name
 *	  taken, and flushes the directory before it says so.
 *
 * Directories are made for a table's first version only.  Later, when one is
 * missing, its file system may not be mounted, and a log that went on in what
 * lies below the mount point would be lost to its readers.
 *
 * Who may read: the server's umask hides what it creates from everybody else,
 * which is right for a data directory and wrong for a lake.  So new
 * directories take the mode of the directory that they are created in, and a
 * file may be read by whoever may read its directory.  (A world-writable
 * directory with the sticky bit, like /tmp, doesn't pass on the right to
 * write.)
 *
 * Symbolic links: an administrator may lay out the lake with them, up to the
 * table's directory.  Below it, where jobs write data files, links are not
 * followed: nobody may direct what the server writes elsewhere.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/pg_prng.h"
#include "storage/fd.h"

#include "store/store.h"

#define FILE_SCHEME		"file://"
#define CHUNK_SIZE		65536
#define TEMPORARY_SUFFIX	".deltatx-tmp"

typedef struct LocalStore
{
	Store		base;
	const char *path;			/* the table's directory */
} LocalStore;

/* A key, taken apart. */
typedef struct LocalPlace
{
	char	   *directory;		/* relative to the table's directory */
	char	   *name;
} LocalPlace;

/* A file on its way. */
typedef struct LocalPut
{
	StorePut   *put;
	LocalStore *store;
	LocalPlace	place;
	int			directory;		/* file descriptors; -1: not open */
	int			fd;
	char	   *temporary;		/* the file's first name */
} LocalPut;

static StoreOutcome local_prepare(Store *store, const char *directory);
static void local_put_if_absent(StorePut *puts, int n);
static void local_replace(StorePut *put);
static StoreOutcome local_get(Store *store, const char *key, StoreSink sink, void *arg);
static StoreOutcome local_list(Store *store, const char *directory, const char *start,
							   StoreLister lister, void *arg);
static StoreOutcome local_tidy(Store *store, const char *directory);

static LocalPut local_put(StorePut *put);
static void write_file(LocalPut *local);
static bool write_body(int fd, const StoreBody *body);
static bool set_attributes(const LocalPut *local);
static void flush_file(LocalPut *local);
static void skip_after_failure(const LocalPut *locals, int i);
static void link_file(LocalPut *local);
static void flush_name(const LocalPut *locals, int i);
static void clean_up(LocalPut *local);
static StoreOutcome deliver(LocalStore *store, const char *key, int fd, StoreSink sink, void *arg);
static int	open_directory(LocalStore *store, const char *directory, bool create);
static int	open_path(const char *path, bool create);
static int	open_below(int parent, const char *name, int flags, bool create);
static int	make_directory(int parent, const char *name);
static int	flush_directory(int directory);
static int	open_file(LocalStore *store, const char *key);
static StoreOutcome read_directory(LocalStore *store, const char *directory, List **names);
static int	compare_names(const ListCell *a, const ListCell *b);
static bool is_temporary(const char *name);
static LocalPlace place_of(const char *key);
static StoreOutcome fail(LocalStore *store, const char *key, const char *action);
static bool is_permanent(int error);
static char *advice(int error);

static const StoreMethods local_methods = {
	.prepare = local_prepare,
	.put_if_absent = local_put_if_absent,
	.replace = local_replace,
	.get = local_get,
	.list = local_list,
	.tidy = local_tidy
};

/* Locations are normalized (catalog/locations.h): nothing in them is encoded. */
Store *
deltatx_store_open_local(const char *location)
{
	LocalStore *store = palloc0(sizeof(LocalStore));

	store->base.methods = &local_methods;
	store->base.location = pstrdup(location);
	store->path = store->base.location + strlen(FILE_SCHEME);
	return &store->base;
}

static StoreOutcome
local_prepare(Store *base, const char *directory)
{
	LocalStore *store = (LocalStore *) base;
	int			fd = open_directory(store, directory, true);

	if (fd < 0)
		return fail(store, directory, "create directory");
	close(fd);
	return STORE_DONE;
}

/*
 * One step for all files before the next step for any: the first flush then
 * makes most of what the others ask for, and a directory is flushed once.
 */
static void
local_put_if_absent(StorePut *puts, int n)
{
	LocalPut   *locals = palloc(n * sizeof(LocalPut));

	for (int i = 0; i < n; i++)
	{
		locals[i] = local_put(&puts[i]);
		write_file(&locals[i]);
	}
	for (int i = 0; i < n; i++)
		flush_file(&locals[i]);
	for (int i = 0; i < n; i++)
	{
		skip_after_failure(locals, i);
		if (puts[i].outcome == STORE_DONE)
			link_file(&locals[i]);
	}
	for (int i = 0; i < n; i++)
	{
		skip_after_failure(locals, i);
		if (puts[i].outcome == STORE_DONE)
			flush_name(locals, i);
	}
	for (int i = 0; i < n; i++)
		clean_up(&locals[i]);
}

/* The same with rename(2), which leaves no moment without the file. */
static void
local_replace(StorePut *put)
{
	LocalPut	local = local_put(put);

	write_file(&local);
	flush_file(&local);
	if (put->outcome == STORE_DONE &&
		renameat(local.directory, local.temporary, local.directory, local.place.name) != 0)
		put->outcome = fail(local.store, put->key, "replace");
	if (put->outcome == STORE_DONE && flush_directory(local.directory) != 0)
		put->outcome = fail(local.store, put->key, "flush the directory of");
	clean_up(&local);
}

static LocalPut
local_put(StorePut *put)
{
	return (LocalPut) {
		.put = put,
		.store = (LocalStore *) put->store,
		.place = place_of(put->key)
	};
}

/* Under a hidden name, with mode and time; and start to write it out. */
static void
write_file(LocalPut *local)
{
	StorePut   *put = local->put;

	put->outcome = STORE_DONE;
	local->fd = -1;
	local->temporary = psprintf(".%s.%016llx%s", local->place.name,
								(unsigned long long) pg_prng_uint64(&pg_global_prng_state),
								TEMPORARY_SUFFIX);
	local->directory = open_directory(local->store, local->place.directory, false);
	if (local->directory < 0)
	{
		put->outcome = fail(local->store, local->place.directory, "open directory");
		return;
	}

	local->fd = openat(local->directory, local->temporary,
					   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (local->fd < 0)
		put->outcome = fail(local->store, put->key, "create");
	else if (!write_body(local->fd, &put->body) || !set_attributes(local))
		put->outcome = fail(local->store, put->key, "write");
	else
		pg_flush_data(local->fd, 0, 0);
}

static bool
write_body(int fd, const StoreBody *body)
{
	char	   *buffer = palloc(CHUNK_SIZE);
	size_t		size;

	body->rewind(body->arg);
	while ((size = body->read(body->arg, buffer, CHUNK_SIZE)) > 0)
	{
		for (size_t written = 0; written < size;)
		{
			ssize_t		n = write(fd, buffer + written, size - written);

			if (n < 0 && errno != EINTR)
				return false;
			if (n == 0)
			{
				errno = ENOSPC; /* as good a guess as any */
				return false;
			}
			written += Max(n, 0);
		}
	}
	pfree(buffer);
	return true;
}

static bool
set_attributes(const LocalPut *local)
{
	DeltaTimestamp timestamp = local->put->body.timestamp;
	struct stat status;
	struct timespec times[2];

	if (fstat(local->directory, &status) != 0 ||
		fchmod(local->fd, S_IRUSR | S_IWUSR | (status.st_mode & (S_IRGRP | S_IROTH))) != 0)
		return false;

	times[0].tv_sec = times[1].tv_sec = timestamp / 1000;
	times[0].tv_nsec = times[1].tv_nsec = (timestamp % 1000) * 1000000;
	return futimens(local->fd, times) == 0;
}

static void
flush_file(LocalPut *local)
{
	if (local->put->outcome == STORE_DONE && pg_fsync(local->fd) != 0)
		local->put->outcome = fail(local->store, local->put->key, "flush");
	if (local->fd >= 0 && close(local->fd) != 0 && local->put->outcome == STORE_DONE)
		local->put->outcome = fail(local->store, local->put->key, "close");
}

/* An object must not appear, or be taken for done, when one before it in its store is not. */
static void
skip_after_failure(const LocalPut *locals, int i)
{
	for (int j = 0; j < i; j++)
	{
		if (locals[j].store == locals[i].store && locals[j].put->outcome != STORE_DONE)
			locals[i].put->outcome = STORE_SKIPPED;
	}
}

static void
link_file(LocalPut *local)
{
	StorePut   *put = local->put;
	int			result = linkat(local->directory, local->temporary,
								local->directory, local->place.name, 0);

	if (result == 0)
		return;
	if (errno == EEXIST)
		put->outcome = deltatx_store_compare(put->store, put->key, &put->body);
	else
	{
		bool		tidied_away = errno == ENOENT;

		put->outcome = fail(local->store, put->key, "create");
		if (tidied_away)
			put->outcome = STORE_TRANSIENT;
	}
}

/* Once for each directory; a name that was there may come from a process that died before this. */
static void
flush_name(const LocalPut *locals, int i)
{
	StorePut   *put = locals[i].put;

	for (int j = 0; j < i; j++)
	{
		if (locals[j].store == locals[i].store &&
			strcmp(locals[j].place.directory, locals[i].place.directory) == 0)
			return;
	}
	if (flush_directory(locals[i].directory) != 0)
		put->outcome = fail(locals[i].store, put->key, "flush the directory of");
}

/* What can't be removed now will be by tidy. */
static void
clean_up(LocalPut *local)
{
	if (local->directory < 0)
		return;
	(void) unlinkat(local->directory, local->temporary, 0);
	close(local->directory);
}

static StoreOutcome
local_get(Store *base, const char *key, StoreSink sink, void *arg)
{
	LocalStore *store = (LocalStore *) base;
	int			fd = open_file(store, key);
	StoreOutcome outcome;

	if (fd < 0)
		return errno == ENOENT ? STORE_MISSING : fail(store, key, "open");

	outcome = deliver(store, key, fd, sink, arg);
	close(fd);
	return outcome;
}

/* Not blocking: should it be a pipe, nobody may be at its other end. */
static int
open_file(LocalStore *store, const char *key)
{
	LocalPlace	place = place_of(key);
	int			directory = open_directory(store, place.directory, false);
	int			fd;
	int			open_errno;

	if (directory < 0)
		return -1;
	fd = openat(directory, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	open_errno = errno;
	close(directory);
	errno = open_errno;
	return fd;
}

static StoreOutcome
deliver(LocalStore *store, const char *key, int fd, StoreSink sink, void *arg)
{
	char	   *buffer = palloc(CHUNK_SIZE);
	ssize_t		n;

	while ((n = read(fd, buffer, CHUNK_SIZE)) != 0)
	{
		if (n < 0 && errno != EINTR)
			return fail(store, key, "read");
		if (n > 0 && !sink(buffer, n, arg))
			break;
	}
	pfree(buffer);
	return STORE_DONE;
}

static StoreOutcome
local_list(Store *base, const char *directory, const char *start,
		   StoreLister lister, void *arg)
{
	LocalStore *store = (LocalStore *) base;
	List	   *names = NIL;
	StoreOutcome outcome = read_directory(store, directory, &names);
	ListCell   *cell;

	list_sort(names, compare_names);
	foreach(cell, names)
	{
		char	   *key = psprintf("%s%s", directory, (char *) lfirst(cell));

		if (!is_temporary(lfirst(cell)) && strcmp(key, start) > 0 && !lister(key, arg))
			break;
	}
	return outcome;
}

static StoreOutcome
local_tidy(Store *base, const char *directory)
{
	LocalStore *store = (LocalStore *) base;
	List	   *names = NIL;
	StoreOutcome outcome = read_directory(store, directory, &names);
	int			fd = names != NIL ? open_directory(store, directory, false) : -1;
	ListCell   *cell;

	if (fd < 0)
		return outcome;
	foreach(cell, names)
	{
		if (is_temporary(lfirst(cell)))
			(void) unlinkat(fd, lfirst(cell), 0);
	}
	close(fd);
	return outcome;
}

/* What is in a directory; nothing where there is none. */
static StoreOutcome
read_directory(LocalStore *store, const char *directory, List **names)
{
	int			fd = open_directory(store, directory, false);
	DIR		   *stream;
	struct dirent *entry;
	StoreOutcome outcome = STORE_DONE;

	if (fd < 0)
		return errno == ENOENT ? STORE_DONE : fail(store, directory, "open directory");
	stream = fdopendir(fd);
	if (stream == NULL)
	{
		outcome = fail(store, directory, "open directory");
		close(fd);
		return outcome;
	}

	while (errno = 0, (entry = readdir(stream)) != NULL)
	{
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			*names = lappend(*names, pstrdup(entry->d_name));
	}
	if (errno != 0)
		outcome = fail(store, directory, "read directory");
	closedir(stream);			/* and fd with it */
	return outcome;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

static bool
is_temporary(const char *name)
{
	size_t		length = strlen(name);
	size_t		suffix = strlen(TEMPORARY_SUFFIX);

	return name[0] == '.' && length > suffix &&
		strcmp(name + length - suffix, TEMPORARY_SUFFIX) == 0;
}

/* A directory of the table, which may be a path of several names ending in '/'. */
static int
open_directory(LocalStore *store, const char *directory, bool create)
{
	int			fd = open_path(store->path, create);
	char	   *names = pstrdup(directory);
	char	   *rest = NULL;

	for (char *name = strtok_r(names, "/", &rest); name != NULL && fd >= 0;
		 name = strtok_r(NULL, "/", &rest))
		fd = open_below(fd, name, O_NOFOLLOW, create);
	return fd;
}

/* An absolute path of directories; links are followed. */
static int
open_path(const char *path, bool create)
{
	int			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char	   *parent;
	char	   *name;

	if (fd >= 0 || errno != ENOENT || !create)
		return fd;

	parent = pstrdup(path);
	name = strrchr(parent, '/');
	*name++ = '\0';
	fd = open_path(parent[0] == '\0' ? "/" : parent, create);
	return fd < 0 ? fd : open_below(fd, name, 0, create);
}

/* Go one directory down; closes the parent. */
static int
open_below(int parent, const char *name, int flags, bool create)
{
	int			fd;
	int			open_errno;

	flags |= O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	fd = openat(parent, name, flags);
	if (fd < 0 && errno == ENOENT && create && make_directory(parent, name) == 0)
		fd = openat(parent, name, flags);

	open_errno = errno;
	close(parent);
	errno = open_errno;
	return fd;
}

/* With the mode of its parent, see above; durable. */
static int
make_directory(int parent, const char *name)
{
	struct stat status;
	mode_t		mode;
	mode_t		mask;
	int			result;

	if (fstat(parent, &status) != 0)
		return -1;
	mode = S_IRWXU | (status.st_mode & (S_IRWXG | S_IRWXO));
	if (status.st_mode & S_ISVTX)
		mode &= ~(S_IWGRP | S_IWOTH);

	/* By umask rather than by a chmod afterwards, before which we could die. */
	mask = umask(0);
	result = mkdirat(parent, name, mode);
	umask(mask);
	if (result != 0 && errno != EEXIST)
		return -1;
	return flush_directory(parent);
}

/* Some file systems can't flush a directory, and need not. */
static int
flush_directory(int directory)
{
	if (pg_fsync(directory) == 0 || errno == EBADF || errno == EINVAL)
		return 0;
	return -1;
}

static LocalPlace
place_of(const char *key)
{
	const char *slash = strrchr(key, '/');
	size_t		length = slash == NULL ? 0 : slash - key + 1;

	return (LocalPlace) {pnstrdup(key, length), pstrdup(key + length)};
}

/* Describe errno, left by an attempt to do "action" with the key. */
static StoreOutcome
fail(LocalStore *store, const char *key, const char *action)
{
	int			error = errno;
	char	   *path = psprintf("%s/%s", store->path, key);

	if (store->base.fault.message == NULL)
	{
		store->base.fault.message = psprintf("could not %s \"%s\": %s", action, path, strerror(error));
		store->base.fault.hint = advice(error);
		store->base.fault.object = psprintf("%s/%s", store->base.location, key);
	}
	return is_permanent(error) ? STORE_PERMANENT : STORE_TRANSIENT;
}

static bool
is_permanent(int error)
{
	switch (error)
	{
		case EACCES:
		case EPERM:
		case EROFS:
		case ENOENT:
		case ENOTDIR:
		case ELOOP:
		case EISDIR:
		case ENAMETOOLONG:
		case ENOTSUP:
		case ENOSYS:
			return true;
		default:
			return false;
	}
}

static char *
advice(int error)
{
	switch (error)
	{
		case EACCES:
			return pstrdup("Create the directory, and let the operating system user that runs the server write there.");
		case EPERM:
		case ENOTSUP:
		case ENOSYS:
			return pstrdup("Use a file system that has hard links, and let the operating system user that runs the server write there.");
		case ENOENT:
			return pstrdup("See whether the file system is mounted; a table's log is only made anew for its first version.");
		case EROFS:
			return pstrdup("Mount the file system so that it can be written.");
		case ENOTDIR:
		case ELOOP:
		case EISDIR:
			return pstrdup("Take away what is in the place of a directory or file; symbolic links are not followed inside a table's directory.");
		case ENOSPC:
		case EDQUOT:
			return pstrdup("Free space on the file system.");
		default:
			return NULL;
	}
}
