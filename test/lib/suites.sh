# shellcheck shell=bash
# The suites.  Each runs in $WORK/tree without root's rights, writes what it
# has to say to standard output, and leaves two numbers, passed and failed, in
# $WORK/out/NAME.count.  No such file, or no test in it, is a failure.

# Count lines of output: those that match $2 passed, those that match $3 failed.
count_lines()
{
	local name=$1 passed failed

	passed=$(grep -c -E "$2" "$WORK/out/$name.log") || true
	failed=$(grep -c -E "$3" "$WORK/out/$name.log") || true
	echo "$passed $failed" > "$WORK/out/$name.count"
}

# Sets tests: the names of the files in $1 that end in .$2.
list_tests()
{
	local file

	tests=()
	for file in "$1"/*."$2"; do
		[ ! -e "$file" ] || tests+=("$(basename "$file" ".$2")")
	done
	[ ${#tests[@]} -gt 0 ]
}

# Count what prove has summed up: all tests in the last lines, failed ones by file.
count_proved()
{
	local name=$1 all failed

	all=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\),.*/\1/p' "$WORK/out/$name.log")
	failed=$(sed -n 's/.*(Wstat: .*Failed: \([0-9]*\)).*/\1/p' "$WORK/out/$name.log" | paste -s -d +)
	failed=$((${failed:-0}))
	echo "$((${all:-0} - failed)) $failed" > "$WORK/out/$name.count"
}

# test/sql and test/specs: their drivers bring servers of their own, whose
# database has the extension.  Both look into expected/, so names must differ
# between them.  The output of PostgreSQL 16 and later is TAP, the older one
# is not.
run_regress_driver()
{
	local name=$1 driver=$2 status=0
	shift 2

	mkdir -p "$WORK/out/$name"
	if [ -n "${ACCEPT:-}" ]; then
		(cd expected && touch "${@/%/.out}")
	fi
	"$PGXS_DIR/src/test/$driver" --bindir="$PG_BINDIR" --inputdir=test --outputdir="$WORK/out/$name" \
		--temp-instance="$WORK/$name" --temp-config="$WORK/server.conf" --no-locale --encoding=UTF8 \
		--dbname=deltatx_"$name" --load-extension=deltatx "$@" > "$WORK/out/$name.log" 2>&1 || status=$?
	if [ "$status" -ne 0 ]; then
		cat "$WORK/out/$name/regression.diffs" >> "$WORK/out/$name.log" 2>/dev/null || true
	fi
	count_lines "$name" '^(test|ok|    ) .*( ok |- )' '^(test .*FAILED|    .*FAILED|not ok )'
	return "$status"
}

suite_regress()
{
	list_tests test/sql sql
	run_regress_driver regress regress/pg_regress "${tests[@]}"
}

suite_isolation()
{
	list_tests test/specs spec
	run_regress_driver isolation isolation/pg_isolation_regress "${tests[@]}"
}

# test/pgtap: each file in one database that has both extensions.
suite_pgtap()
{
	local status=0

	mkdir "$WORK/pgtap"
	start_server "$WORK/pgtap"
	psql -q -X -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION deltatx'
	pg_prove --timer test/pgtap/*.sql > "$WORK/out/pgtap.log" 2>&1 || status=$?
	count_proved pgtap
	stop_server "$WORK/pgtap"
	return "$status"
}

# Perl's TAP tests, the suite $1, of the files that follow.  TEMP_CONFIG goes
# into every node they make.
prove_files()
{
	local name=$1 status=0
	shift

	export TEMP_CONFIG=$WORK/server.conf PG_REGRESS=$PGXS_DIR/src/test/regress/pg_regress
	export TESTDIR=$WORK/$name TESTDATADIR=$WORK/$name/data TESTLOGDIR=$WORK/$name/log
	export PERL5LIB=$PGXS_DIR/src/test/perl:$PWD/test/lib
	mkdir "$WORK/$name"
	prove --jobs 2 --timer "$@" > "$WORK/out/$name.log" 2>&1 || status=$?
	count_proved "$name"
	return "$status"
}

# test/t: servers.
suite_tap()
{
	prove_files tap test/t/*.pl
}

# test/stores: servers, and object stores on loopback.
suite_stores()
{
	prove_files stores test/stores/*.pl
}

# test/readers: real engines.
suite_readers()
{
	run_pytest readers
}

# test/docs: the documentation, which engines read along with.
suite_docs()
{
	run_pytest docs
}

# The tests of a directory, with a server.
run_pytest()
{
	local name=$1 status=0

	# Java goes by its own setting, not by TMPDIR.
	export JDK_JAVA_OPTIONS=-Djava.io.tmpdir=$TMPDIR
	mkdir "$WORK/$name"
	start_server "$WORK/$name"
	"$VENV/bin/python" -m pytest -p no:cacheprovider -rA --tb=short "test/$name" > "$WORK/out/$name.log" 2>&1 || status=$?
	count_lines "$name" '^PASSED ' '^(FAILED|ERROR|SKIPPED|XFAIL|XPASS) '
	stop_server "$WORK/$name"
	return "$status"
}
