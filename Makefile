# deltatx: build, install, test.  "make help" lists what there is.

EXTENSION = deltatx
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" deltatx.control)

MODULE_big = deltatx
SRCS := $(sort $(wildcard src/*.c src/*/*.c))
OBJS = $(SRCS:.c=.o)

# The install script is kept in parts, one subject each; their order matters.
SQL_PARTS = preamble catalog stores tables transactions reading cut mirror
DATA_built = sql/deltatx--$(EXTVERSION).sql
DATA = $(wildcard sql/deltatx--*--*.sql)

# Three warnings are off because PostgreSQL's own headers and idioms raise them:
# parameters that a callback doesn't need, "i < lengthof(x)", tables of structs
# whose last fields are zero.  Declarations stand where their value is known.
PG_CPPFLAGS = -I$(srcdir)/src -DDELTATX_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare -Wno-declaration-after-statement \
	-MMD -MP
SHLIB_LINK += -lcurl -lcrypto
EXTRA_CLEAN = $(DATA_built) $(OBJS:.o=.d) $(OBJS:.o=.bc)

# Bitcode is of no use here: nothing of this is ever inlined by JIT.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

-include $(OBJS:.o=.d)

# Version and flags are compiled in: objects depend on them.
$(OBJS): Makefile deltatx.control

sql/deltatx--$(EXTVERSION).sql: $(SQL_PARTS:%=sql/%.sql) Makefile deltatx.control
	cat $(SQL_PARTS:%=sql/%.sql) > $@

.PHONY: help test test-pg17 test-pg18 demo bench

help:
	@echo 'make                        build (PG_CONFIG=... chooses the PostgreSQL)'
	@echo 'make install                install'
	@echo 'make test                   everything that is tested, on PostgreSQL 15; installs what it needs'
	@echo 'make test SUITES="tap ..."  some of: regress isolation pgtap tap stores readers docs'
	@echo 'make test-pg17              the same in a Debian 13 with PostgreSQL 17'
	@echo 'make test-pg18              in a Debian testing with PostgreSQL 18'
	@echo 'make demo                   two tables and a row in one transaction, read by two engines'
	@echo 'make bench                  speed and memory beside their floors; BENCH="--quick append ..." for less'

test:
	@test/run $(SUITES)

test-pg17:
	@test/run-pg 17 $(SUITES)

test-pg18:
	@test/run-pg 18 $(SUITES)

demo:
	@demo/run

bench:
	@bench/run $(BENCH)
