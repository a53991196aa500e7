# shellcheck shell=bash
# The object stores that we publish to: s3proxy, which needs Java only, and
# versitygw where there is a Go that can build it.  Both verify signatures and
# honour conditions; both are kept in the cache, complete or not at all.

S3PROXY_ARTIFACT=org.gaul:s3proxy:4.0.0:jar:jar-with-dependencies
VERSITYGW_MODULE=github.com/versity/versitygw/cmd/versitygw@v1.8.0

# Sets S3PROXY, and VERSITYGW or nothing.
need_stores()
{
	S3PROXY=$CACHE/s3proxy-4.0.0.jar
	VERSITYGW=$CACHE/versitygw-1.8.0
	with_lock "$CACHE/lock" fetch_s3proxy
	with_lock "$CACHE/lock" build_versitygw
	[ -e "$VERSITYGW" ] || VERSITYGW=
}

fetch_s3proxy()
{
	local work

	[ ! -e "$S3PROXY" ] || return 0
	need_packages maven
	say "fetching $S3PROXY_ARTIFACT"
	work=$(mktemp -d "$CACHE/maven.XXXXXX")
	if ! mvn -q -B -Dmaven.repo.local="$work/repository" \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy \
		-Dartifact="$S3PROXY_ARTIFACT" -DoutputDirectory="$work" > "$work/log" 2>&1; then
		tail -n 40 "$work/log" >&2
		die "$S3PROXY_ARTIFACT could not be fetched"
	fi
	chmod 644 "$work"/*.jar
	mv "$work"/*.jar "$S3PROXY"
	rm -rf "$work"
}

# Debian 12 has no Go that is new enough, so this one is a bonus.
build_versitygw()
{
	local work

	[ ! -e "$VERSITYGW" ] || return 0
	if ! command -v go > /dev/null; then
		say "no Go: the tests of stores go without versitygw"
		return 0
	fi
	say "building $VERSITYGW_MODULE"
	work=$(mktemp -d "$CACHE/go.XXXXXX")
	if GOBIN="$work" GOPATH="$work/path" GOFLAGS='-p=2 -modcacherw' GOTOOLCHAIN=local \
		go install "$VERSITYGW_MODULE" > "$work/log" 2>&1; then
		mv "$work/versitygw" "$VERSITYGW"
	else
		say "$(tail -n 1 "$work/log"); the tests of stores go without versitygw"
	fi
	rm -rf "$work"
}
