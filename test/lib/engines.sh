# shellcheck shell=bash
# The engines that read what we publish: Python packages in a virtual
# environment, and the jars of Spark's Delta, both kept in the cache.
#
# A directory in the cache is named by what it must hold and appears there
# complete or not at all.

SPARK_PACKAGE=io.delta:delta-spark_4.2_2.13:4.4.0

# Spark asks for its host's name, which not every host can resolve.
SPARK_ENV=(SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_HOSTNAME=localhost)

# Sets VENV: the environment that holds what these requirement files name.
# Debian's own Python makes it: another one may lie where user postgres cannot
# follow.
need_venv()
{
	local key

	key=$( (/usr/bin/python3 --version && cat "$@") | sha256sum | cut -c1-16)
	VENV=$CACHE/venv-$key
	with_lock "$CACHE/lock" make_venv "$@"
}

# Scripts of a virtual environment name its path, so it is made in place and
# marked when it is complete.
make_venv()
{
	[ ! -e "$VENV/complete" ] || return 0
	say "fetching Python packages"
	rm -rf "$VENV"
	/usr/bin/python3 -m venv "$VENV"
	"$VENV/bin/pip" install --quiet --no-input --disable-pip-version-check --use-pep517 "${@/#/--requirement=}" >&2 ||
		die "pip could not fetch what $* name"
	touch "$VENV/complete"
}

# Sets SPARK_JARS: the directory of the jars.
need_spark_jars()
{
	SPARK_JARS=$CACHE/jars-${SPARK_PACKAGE//:/_}
	with_lock "$CACHE/lock" fetch_spark_jars
}

# Spark's own resolver fetches them: an empty program started with the
# package.  Of what it brings, Spark itself has all but Delta's own.
fetch_spark_jars()
{
	local spark ivy

	[ ! -e "$SPARK_JARS" ] || return 0
	say "fetching $SPARK_PACKAGE"
	ivy=$CACHE/ivy
	rm -rf "$ivy"
	mkdir "$ivy"
	spark=$("$VENV/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
	echo 'pass' > "$ivy/empty.py"
	if ! env "${SPARK_ENV[@]}" SPARK_HOME="$spark" PYSPARK_PYTHON="$VENV/bin/python" \
		JDK_JAVA_OPTIONS="-Djava.io.tmpdir=$ivy" \
		bash "$spark/bin/spark-submit" --master 'local[1]' --conf "spark.jars.ivy=$ivy" \
		--packages "$SPARK_PACKAGE" "$ivy/empty.py" > "$ivy/log" 2>&1; then
		tail -n 40 "$ivy/log" >&2
		die "$SPARK_PACKAGE could not be fetched"
	fi
	mkdir "$ivy/wanted"
	cp "$ivy"/jars/io.delta_*.jar "$ivy"/jars/io.unitycatalog_*.jar "$ivy/wanted"
	chmod 755 "$ivy/wanted"
	mv "$ivy/wanted" "$SPARK_JARS"
	rm -rf "$ivy"
}
