# shellcheck shell=bash
# A private server, for suites that bring none of their own.  It listens on a
# socket in its own directory only, so its port number never matters.

# Make and start a server in directory $1, with $WORK/server.conf.
start_server()
{
	local dir=$1

	initdb --no-sync --auth=trust --username=postgres --encoding=UTF8 --no-locale \
		-D "$dir/data" > "$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log"; return 1; }
	cat "$WORK/server.conf" >> "$dir/data/postgresql.conf"
	cat >> "$dir/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$dir'
		fsync = off
	CONF
	pg_ctl -s -w -D "$dir/data" -l "$dir/server.log" start || { cat "$dir/server.log"; return 1; }
	export PGHOST=$dir PGUSER=postgres PGDATABASE=postgres
}

stop_server()
{
	pg_ctl -s -m fast -D "$1/data" stop
}
