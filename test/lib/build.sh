# shellcheck shell=bash
# Build the extension in the clone, and put what belongs to a test run under
# WORK: the tree, and the extension installed below WORK/stage, where the
# servers' configuration makes them look for it.  (Debian's extension_destdir
# does not reach a library named without a directory, as it is in
# shared_preload_libraries: hence dynamic_library_path.)

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

# What each server of the run has in its configuration.  18 came with a
# setting of its own for what Debian had patched in.
write_server_conf()
{
	local pg_config=$PG_BINDIR/pg_config

	cat > "$WORK/server.conf" <<-CONF
		shared_preload_libraries = 'deltatx'
		dynamic_library_path = '$WORK/stage$("$pg_config" --pkglibdir):\$libdir'
	CONF
	if [ "$PG_MAJOR" -ge 18 ]; then
		echo "extension_control_path = '$WORK/stage$("$pg_config" --sharedir):\$system'" >> "$WORK/server.conf"
	else
		echo "extension_destdir = '$WORK/stage'" >> "$WORK/server.conf"
	fi
}
