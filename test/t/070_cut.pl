# The consistent cut: whatever is in flight, prepared, paused or lost in a
# crash, the versions of a cut hold each transaction wholly or not at all, are
# published, and stay the cut at that time.

use strict;
use warnings;

use DeltaTx qw(new_node create_table stage commit_files refusal session poll table_directory);
use IPC::Run qw(start finish);
use JSON::PP qw(decode_json);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

use constant { ACCOUNTS => 5, CUTS => 1000 };

my $node = new_node('main', conf => <<'CONF');
max_prepared_transactions = 20
deltatx.mirror_naptime = 100ms
CONF
my %location = map { ("account$_" => create_table($node, "account$_")) } 1 .. ACCOUNTS;
create_table($node, "idle$_") for 1 .. 3;
commit_files($node, 'idle1', 'a_0');

# Transfers: a file's name ends in what its account gains or loses.
my $scripts = table_directory('scripts');
my $transfer = <<'SQL';
\set from random(1, 5)
\set to 1 + (:from + random(0, 3)) % 5
\set amount random(1, 1000)
BEGIN;
SELECT deltatx_begin();
SELECT deltatx_stage('account' || :from, format('{"add":{"path":"%s_-%s","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}', gen_random_uuid(), :amount));
SELECT deltatx_stage('account' || :to, format('{"add":{"path":"%s_%s","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}', gen_random_uuid(), :amount));
SQL
my %script = (
	quick => "$transfer SELECT deltatx_commit();\nCOMMIT;\n",
	lazy => "SET synchronous_commit = off;\n$transfer SELECT deltatx_commit();\nCOMMIT;\n",
	long => "$transfer SAVEPOINT s;\nSELECT deltatx_commit();\nROLLBACK TO s;\nSELECT deltatx_commit();\n\\sleep 5 ms\nCOMMIT;\n",
	regretted => "$transfer SELECT deltatx_commit();\n\\sleep 2 ms\nROLLBACK;\n",
	prepared => "$transfer SELECT deltatx_commit();\nPREPARE TRANSACTION 'transfer :client_id';\n\\sleep 5 ms\nCOMMIT PREPARED 'transfer :client_id';\n");
append_to_file("$scripts/$_", $script{$_}) for keys %script;

sub start_transfers
{
	my ($output, $error);

	return start [ 'pgbench', '-n', '-c', 4, '-T', 600,
		(map { ('-f', "$scripts/$_") } sort keys %script),
		'-h', $node->host, '-p', $node->port, 'postgres' ], '<', \undef, '>', \$output, '2>', \$error;
}

# Cuts as they are shown, and whether their versions are on disk then.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE seen (number serial, watermark timestamptz, table_name text, version bigint, published boolean);
CREATE PROCEDURE look(times int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. times LOOP
		INSERT INTO seen (watermark, table_name, version, published)
		SELECT w, c.table_name, c.version,
			(pg_stat_file(substr(c.location, 8) || '/_delta_log/' || lpad(c.version::text, 20, '0') || '.json', true)).size > 0
		FROM deltatx_mirror_watermark() w, deltatx_cut(as_of => w) c;
		COMMIT;
	END LOOP;
END $$;
SQL

# What was seen, against what there is in the end.
sub verify
{
	my ($when) = @_;

	is($node->safe_psql('postgres', 'SELECT count(*) FROM seen WHERE published IS NOT TRUE'),
		'0', "all that was shown was published, $when");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT watermark < lag(watermark) OVER (ORDER BY number) AS fell FROM seen) s WHERE fell'),
		'0', "the watermark never fell, $when");
	is($node->safe_psql('postgres', <<'SQL'), '0', "no transaction appeared below a watermark later, $when");
CREATE TEMP TABLE reign AS
SELECT t.table_name, h.version, h.commit_timestamp AS begins,
	lead(h.commit_timestamp, 1, 'infinity') OVER (PARTITION BY t.table_name ORDER BY h.version) AS ends
FROM deltatx.tables t, deltatx_history(t.table_name) h;
SELECT count(*) FROM seen s LEFT JOIN reign r USING (table_name, version)
WHERE (s.watermark >= r.begins AND s.watermark < r.ends) IS NOT TRUE
SQL
	is($node->safe_psql('postgres', <<'SQL'), '0', "no cut holds half of a transfer, $when");
CREATE TEMP TABLE balance AS
SELECT t.table_name, f.added_version AS version, sum(sum(split_part(f.path, '_', 2)::bigint))
	OVER (PARTITION BY t.table_name ORDER BY f.added_version) AS balance
FROM deltatx.tables t, deltatx_files(t.table_name) f GROUP BY 1, 2;
SELECT count(*) FROM (
	SELECT s.watermark FROM seen s LEFT JOIN balance b USING (table_name, version)
	GROUP BY s.watermark HAVING sum(b.balance) <> 0) broken
SQL
}

my $transfers = start_transfers();
poll($node, "SELECT current_version > 3 FROM deltatx.tables WHERE table_name = 'account1'");
$node->safe_psql('postgres', 'CALL look(' . CUTS . ')');
verify('while transfers run');

# The same across a crash, with transactions prepared before it.
$node->safe_psql('postgres', 'BEGIN; SELECT deltatx_begin(); ' . stage('account1', 'p_-7') . stage('account2', 'p_7')
	  . "SELECT deltatx_commit(); PREPARE TRANSACTION 'forgotten'");
$node->safe_psql('postgres', 'CALL look(20)');
$node->stop('immediate');
finish($transfers);
$node->start;
poll($node, 'SELECT worker_pid IS NOT NULL FROM deltatx.worker_status()');
my ($before) = $node->safe_psql('postgres', 'SELECT max(watermark) FROM seen');
is($node->safe_psql('postgres', "SELECT deltatx_mirror_watermark() >= '$before'"), 't', 'the watermark survives a crash');
is($node->safe_psql('postgres', 'SELECT watermark_held_by FROM deltatx.status'), 'prepared=forgotten', 'a prepared transaction holds it');
$node->safe_psql('postgres', "COMMIT PREPARED '$_'")
  for split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');
$transfers = start_transfers();
$node->safe_psql('postgres', 'CALL look(' . CUTS . ')');
verify('after a crash');

# A paused table holds what includes it, and nothing else.
$node->safe_psql('postgres', "SELECT deltatx_pause('account3')");
my $version = $node->safe_psql('postgres', "SELECT deltatx_version('account3')");
poll($node, "SELECT deltatx_version('account3') > $version + 3");
poll($node, q{SELECT watermark_held_by LIKE 'table=account3 % state=paused' FROM deltatx.status});
my $held = $node->safe_psql('postgres', 'SELECT deltatx_mirror_watermark()');
$node->safe_psql('postgres', 'CALL look(50)');
is($node->safe_psql('postgres', 'SELECT deltatx_mirror_watermark()'), $held, 'a paused table holds the watermark');
poll($node, "SELECT deltatx_mirror_watermark('{account1,account2,idle1}') > '$held'");
ok(1, 'that of other tables moves on');
is($node->safe_psql('postgres', "SELECT string_agg(table_name, ',') FROM deltatx_cut('{account2,account1}')"),
	'account1,account2', 'a cut of some tables');
$node->safe_psql('postgres', "SELECT deltatx_resume('account3')");
poll($node, "SELECT deltatx_mirror_watermark() > '$held'");
# How many differ in a hundred looks depends on the machine's pace.
for (1 .. 40)
{
	$node->safe_psql('postgres', 'CALL look(100)');
	last if $node->safe_psql('postgres', 'SELECT count(DISTINCT watermark) FROM seen') >= CUTS / 4;
}
$transfers->signal('TERM');
finish($transfers);
verify('after a pause');
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT watermark) FROM seen'), '>=', CUTS / 4, 'many cuts were seen');
$node->safe_psql('postgres', "COMMIT PREPARED '$_'")
  for split /\n/, $node->safe_psql('postgres', 'SELECT gid FROM pg_prepared_xacts');

# Once all is published, the cut is the heads, and the worker rests.
poll($node, 'SELECT count(*) = 0 FROM deltatx.dl_mirror_queue');
is($node->safe_psql('postgres', 'SELECT string_agg(table_name || version, $$ $$ ORDER BY table_name) FROM deltatx_cut()'),
	$node->safe_psql('postgres', 'SELECT string_agg(table_name || current_version, $$ $$ ORDER BY table_name) FROM deltatx.tables'),
	'the cut catches up');
is($node->safe_psql('postgres', 'SELECT watermark_held_by IS NULL FROM deltatx.status'), 't', 'nothing holds it');
my $row = $node->safe_psql('postgres', 'SELECT xmin, horizon FROM deltatx.dl_mirror_horizon');
foreach my $naps (1 .. 15)
{
	my $beat = $node->safe_psql('postgres', 'SELECT heartbeat FROM deltatx.worker_status()');
	poll($node, "SELECT heartbeat > '$beat' FROM deltatx.worker_status()");
}
is($node->safe_psql('postgres', 'SELECT xmin, horizon FROM deltatx.dl_mirror_horizon'), $row, 'an idle worker writes nothing');

# A clock that is behind what was shown, as after a failover: stamps go on above.
$node->safe_psql('postgres', "UPDATE deltatx.dl_mirror_horizon SET horizon = horizon + 8000");
my $horizon = $node->safe_psql('postgres', 'SELECT horizon FROM deltatx.dl_mirror_horizon');
$node->restart;
commit_files($node, 'idle2', 'a_0');
cmp_ok($node->safe_psql('postgres', "SELECT last_stamp FROM deltatx.dl_table_heads JOIN deltatx.dl_tables USING (table_id) WHERE table_name = 'idle2'"),
	'>', $horizon, 'a stamp is above the persisted horizon, whatever the clock says');
$node->safe_psql('postgres', 'CALL look(20)');
verify('with a clock that is behind');

# Who sees what, and when.
$node->safe_psql('postgres', 'CREATE ROLE etl; GRANT pg_write_server_files TO etl');
my $lake = table_directory('lake');
$node->safe_psql('postgres', "SET ROLE etl; SELECT deltatx_create_table('own', 'file://$lake/own', 'id bigint')");
poll($node, "SELECT count(*) = 1 FROM deltatx_cut('{own}')");
poll($node, "SELECT count(*) = 1 FROM deltatx_cut() WHERE table_name = 'own'");
is($node->safe_psql('postgres', "SET ROLE etl; SELECT string_agg(table_name, ',') FROM deltatx_cut()"), 'own', 'a user sees his own tables');
is(refusal($node, "SET ROLE etl; SELECT deltatx_cut('{own,idle1}')"), '42501 PermissionDenied', 'others are refused');
is(refusal($node, "SET ROLE etl; SELECT deltatx_mirror_watermark('{idle1}')"), '42501 PermissionDenied', 'to the watermark, too');
is(refusal($node, "SELECT deltatx_cut('{nothing}')"), '42P01 TableNotFound', 'a table that is none');
is(refusal($node, "SELECT deltatx_cut('{NULL}')"), '22004', 'no table');
is(refusal($node, "SELECT deltatx_cut(as_of => now() + '1 day')"), '22023 VersionNotFound', 'a time that has not come');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_cut(as_of => '2000-01-01')"), '0', 'a time before all tables');
is($node->safe_psql('postgres', "SELECT count(*) FROM deltatx_cut('{}')"), '0', 'no tables');
my $reader = session($node);
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $cut = $reader->query_safe('SELECT * FROM deltatx_cut()');
commit_files($node, 'idle1', 'b_0');
$node->safe_psql('postgres', "SELECT deltatx_wait('idle1')");
is($reader->query_safe('SELECT * FROM deltatx_cut()'), $cut, 'a snapshot keeps its cut');
$reader->query_safe('COMMIT');
$reader->quit;

# The manifest.
sub manifest
{
	return -e "$lake/cut.json" ? decode_json(slurp_file("$lake/cut.json")) : { tables => [] };
}

# Wait until the manifest says that a table is at its newest version.
sub wait_manifest
{
	my ($table) = @_;
	my $newest = $node->safe_psql('postgres', "SELECT deltatx_version('$table')");

	foreach my $try (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if grep { $_->{name} eq $table && $_->{version} == $newest } @{ manifest()->{tables} };
		usleep(100_000);
	}
	return 0;
}

$node->append_conf('postgresql.conf', "deltatx.cut_location = 'file://$lake'");
$node->reload;
ok(wait_manifest('idle1'), 'the manifest comes when it is set');
my $manifest = manifest();
is(join("\n", map { "$_->{name}|$_->{location}|$_->{table_id}|$_->{version}|$_->{commit_timestamp}" } @{ $manifest->{tables} }),
	$node->safe_psql('postgres', "SELECT c.table_name, c.location, t.table_id, c.version, floor(extract(epoch FROM c.commit_timestamp) * 1000)
		FROM deltatx_cut(as_of => to_timestamp($manifest->{watermark} / 1000.0)) c JOIN deltatx.tables t USING (table_name) ORDER BY 1"),
	'it is the cut at its watermark');
cmp_ok($manifest->{published_at}, '>', 0, 'and says when');
commit_files($node, 'idle3', 'c_0');
ok(wait_manifest('idle3'), 'it follows a commit');
my $inode = (stat "$lake/cut.json")[1];
$node->safe_psql('postgres', 'CALL look(10)');
is((stat "$lake/cut.json")[1], $inode, 'it is left alone while no version changes');

rename $lake, "$lake.away";
my $offset = -s $node->logfile;
commit_files($node, 'idle3', 'd_0');
$node->wait_for_log(qr/could not write the manifest of the cut/, $offset);
rename "$lake.away", $lake;
ok(wait_manifest('idle3'), 'it is written as soon as its folder is there');
is_deeply([ glob "$lake/.cut*" ], [], 'nothing is left beside it');
is(refusal($node, "ALTER SYSTEM SET deltatx.cut_location = 's3://bucket'"), '22023', 'no other kind of store yet');

$node->stop;
done_testing();
