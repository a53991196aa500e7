# shellcheck shell=bash
# What every script of the harness shares: where things are, how to say what
# goes on, and how to run something as a user who is not root.
#
# A server refuses to run as root, so root hands everything that concerns one
# to user postgres.  That user may neither enter root's home nor write into
# the clone: tests therefore run on a copy, in a directory made for the run.

# shellcheck disable=SC2034	# used by who sources this

DELTATX_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PG_MAJOR=${PG_MAJOR:-15}
PG_BINDIR=/usr/lib/postgresql/$PG_MAJOR/bin
PGXS_DIR=/usr/lib/postgresql/$PG_MAJOR/lib/pgxs
TEST_USER=postgres

# What one user of the machine makes here, user postgres must be able to read.
umask 022

# The make that called us must not pass its flags and job server on.
unset MAKEFLAGS MAKELEVEL MFLAGS

say()
{
	printf '== %s\n' "$*" >&2
}

die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

is_root()
{
	[ "$(id -u)" -eq 0 ]
}

# Run a command with root's rights.
as_root()
{
	if is_root; then
		"$@"
	else
		sudo "$@"
	fi
}

# Run a command without root's rights, in a bare environment.  Variables are
# passed as NAME=VALUE in front of the command.
as_user()
{
	local -a switch=()

	if is_root; then
		switch=(setpriv --reuid="$TEST_USER" --regid="$TEST_USER" --init-groups)
	fi
	"${switch[@]}" env -i PATH="$PG_BINDIR:/usr/local/bin:/usr/bin:/bin" \
		HOME="${WORK:-/}" TMPDIR="${WORK:-}/tmp" LANG=C.UTF-8 "$@"
}

# A directory of this run's own, gone at its end: WORK.
make_work()
{
	WORK=$(mktemp -d /tmp/deltatx.XXXXXX)
	mkdir "$WORK/tmp" "$WORK/out"
	if is_root; then
		chown -R "$TEST_USER:$TEST_USER" "$WORK"
	fi
}

# End every server that runs on a data directory under WORK, and remove WORK.
drop_work()
{
	local file pid

	[ -n "${WORK:-}" ] || return 0
	while read -r file; do
		pid=$(head -n 1 "$file" 2>/dev/null) || continue
		# A server that crashed leaves the file, and its number may be another's.
		[ "$(readlink "/proc/$pid/cwd")" = "${file%/*}" ] || continue
		end_process "$pid"
	done < <(find "$WORK" -name postmaster.pid 2>/dev/null)
	if [ -n "${KEEP:-}" ]; then
		say "kept: $WORK"
	else
		rm -rf "$WORK"
	fi
}

# A quick end for a postmaster, and the last resort where that takes too long.
end_process()
{
	local pid=$1 i

	kill -QUIT "$pid" 2>/dev/null || return 0
	for ((i = 0; i < 100; i++)); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null || true
}

# Where what was fetched is kept: CACHE.  User postgres must be able to read
# it, which rules root's home out, unless somebody says so explicitly.
find_cache()
{
	CACHE=${DELTATX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/deltatx}
	mkdir -p "$CACHE"
	if is_root && ! as_user test -x "$CACHE"; then
		[ -z "${DELTATX_CACHE:-}" ] || die "user $TEST_USER cannot enter DELTATX_CACHE ($CACHE)"
		CACHE=/var/cache/deltatx
		mkdir -p "$CACHE"
	fi
}

# Copy the tree into a new directory, without build products and history.
copy_tree()
{
	mkdir "$1"
	tar -C "$DELTATX_ROOT" --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.bc' \
		--exclude='*.so' -cf - . | tar -C "$1" --no-same-owner -xf -
}

# Run a command while nobody else runs one under the same lock file.
with_lock()
{
	local lock=$1
	shift

	(
		flock 9
		"$@"
	) 9>"$lock"
}
