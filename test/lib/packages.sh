# shellcheck shell=bash
# Install from Debian what is missing, without a system cluster coming of it.
# shellcheck disable=SC2034	# used by who sources this

# To build and to run a server.
BUILD_PACKAGES=(build-essential "postgresql-$PG_MAJOR" "postgresql-server-dev-$PG_MAJOR"
	libcurl4-openssl-dev libssl-dev)

# What the suites other than the readers need besides.
SUITE_PACKAGES=("postgresql-$PG_MAJOR-pgtap" libtap-parser-sourcehandler-pgtap-perl libipc-run-perl)

need_packages()
{
	local package
	local -a missing=()

	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	apt_get update
	if [[ " ${missing[*]} " == *" postgresql-$PG_MAJOR "* ]]; then
		install_without_cluster "${missing[@]}"
	else
		apt_get install "${missing[@]}"
	fi
}

# apt-get without questions, and without output unless it fails.
apt_get()
{
	local log

	log=$(mktemp)
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Use-Pty=0 --no-install-recommends "$@" > "$log" 2>&1 || {
		tail -n 40 "$log" >&2
		rm -f "$log"
		die "apt-get $1 failed"
	}
	rm -f "$log"
}

# Debian's server package makes a cluster and starts it, unless its
# configuration says no.  It says no only while we install: what the machine's
# owner installs later behaves as always.
install_without_cluster()
{
	local conf=/etc/postgresql-common/createcluster.conf

	apt_get install postgresql-common
	as_root cp -p "$conf" "$conf.deltatx"
	echo 'create_main_cluster = false' | as_root tee -a "$conf" > /dev/null
	(apt_get install "$@") || {
		as_root mv "$conf.deltatx" "$conf"
		exit 1
	}
	as_root mv "$conf.deltatx" "$conf"
}
