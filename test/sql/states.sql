-- What the state of a table's mirror has to do with its commits.  The states are
-- set by hand here, in transactions that are rolled back.
\set ECHO none
\i test/lib/regress.sql
\set ECHO all

SELECT pg_temp.make('states.t'), pg_temp.make('states.other');
SELECT pg_temp.put('states.t', pg_temp.adds('f'));
CREATE FUNCTION pg_temp.set_state(name text) RETURNS void LANGUAGE sql AS
$$UPDATE deltatx.dl_mirror_status SET state = name WHERE table_id = (SELECT table_id FROM deltatx.dl_tables WHERE table_name = 'states.t' AND dropped_at IS NULL)$$;

-- What each call comes to, in each state.
CREATE FUNCTION pg_temp.calls(state text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	call text;
	result text;
BEGIN
	FOREACH call IN ARRAY ARRAY['deltatx_stage(''states.t'', pg_temp.adds(''g''))', 'deltatx_read(''states.t'')', 'deltatx_alter_table(''states.t'', description => ''x'')',
		'deltatx_rename_table(''states.t'', ''states.x'')', 'deltatx_drop_table(''states.t'')', 'deltatx_commit_batch(jsonb_build_object(''states.t'', pg_temp.adds(''g'')))',
		'deltatx_files(''states.t'')', 'deltatx_version(''states.t'')', 'deltatx_history(''states.t'')'] LOOP
		BEGIN
			PERFORM pg_temp.set_state(state);
			IF call ~ '^deltatx_(stage|read)' THEN
				PERFORM deltatx_begin();
			END IF;
			result := pg_temp.try('SELECT ' || call);
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
			RETURN NEXT format('%s %s: %s', state, split_part(call, '(', 1), result);
		END;
	END LOOP;
END
$$;
-- How many versions a drop gives up depends on how far the worker is.
SET client_min_messages = warning;
SELECT pg_temp.calls(state) FROM unnest('{idle,retrying,failed,diverged,held,importing,following}'::text[]) state;
RESET client_min_messages;

-- A state that comes between stage and commit.
CREATE FUNCTION pg_temp.overtaken(state text, paused boolean = false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM deltatx_begin();
	PERFORM deltatx_stage('states.t', pg_temp.adds('g')), deltatx_stage('states.other', pg_temp.adds('g'));
	PERFORM pg_temp.set_state(state);
	IF paused THEN
		PERFORM deltatx_pause('states.t');
	END IF;
	result := pg_temp.try('SELECT deltatx_validate()') || ' / ' || pg_temp.try('SELECT deltatx_commit()');
	RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
	RETURN result;
END
$$;
SELECT state, pg_temp.overtaken(state) FROM unnest('{failed,diverged,held,importing,following}'::text[]) state;
SELECT pg_temp.overtaken('idle', true);

SELECT pg_temp.files('states.t'), pg_temp.files('states.other');
SELECT pg_temp.problems();
