# shellcheck shell=bash
# Build the extension in the clone, and put what belongs to a test run under
# WORK: the tree, and the extension installed below WORK/stage, where
# Debian's extension_destdir makes a server look for it (for a library named
# without a directory, as in shared_preload_libraries, it does not).

build()
{
	mkdir -p "$DELTATX_ROOT/build"
	with_lock "$DELTATX_ROOT/build/lock" build_and_stage
}

# One at a time in one clone.
build_and_stage()
{
	local stage=$DELTATX_ROOT/build/stage

	say "building for PostgreSQL $PG_MAJOR"
	make -s -C "$DELTATX_ROOT" -j 2 with_llvm=no PG_CONFIG="$PG_BINDIR/pg_config" all >&2
	rm -rf "$stage"
	make -s -C "$DELTATX_ROOT" with_llvm=no PG_CONFIG="$PG_BINDIR/pg_config" DESTDIR="$stage" install >&2
	cp -r "$stage" "$WORK/stage"
	copy_tree "$WORK/tree"
	if is_root; then
		chown -R "$TEST_USER:$TEST_USER" "$WORK/tree" "$WORK/stage"
	fi
	write_server_conf
}

# What each server of the run has in its configuration.
write_server_conf()
{
	cat > "$WORK/server.conf" <<-CONF
		shared_preload_libraries = 'deltatx'
		extension_destdir = '$WORK/stage'
		dynamic_library_path = '$WORK/stage$("$PG_BINDIR/pg_config" --pkglibdir):\$libdir'
	CONF
}
