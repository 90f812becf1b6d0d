#!/bin/sh
# The house rules that a compiler does not check.  TAP.
cd "$SOURCE" || exit 1
n=0
check() { # NAME OUTPUT: fine when OUTPUT is empty
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}
echo 1..10

# A wing includes only what lies below it, and never the other wing.
reading='message|extract|detect'
judging='policy|record|ledger|decision|token|notice|audit|directory|store|engine|desk|mta|spool|link|accounts'
check 'the reading wing knows nobody' "$(grep -nE "#include \"missent/($judging|settings|envelope|verdict)\.h\"" \
	milter/message/*.[ch] milter/extract/*.[ch] milter/detect/*.[ch] milter/reader/worker.c \
	milter/reader/program.c milter/reader/ocr.c milter/reader/picture.c milter/reader/supervisor.c milter/reader/sandbox.c)"
check 'the judging wing touches no hostile byte' "$(grep -nE "#include \"missent/($reading)\.h\"|gmime" \
	milter/policy/*.[ch] milter/record/*.[ch] milter/ledger/*.[ch] milter/spool/*.[ch] milter/mta/*.[ch] milter/accounts/*.[ch] milter/audit/*.[ch] milter/directory/*.[ch] \
	milter/store/*.[ch] milter/engine/*.[ch] milter/desk/*.[ch] milter/agent/*.[ch] milter/review/*.[ch] \
	milter/daemon/*.[ch] milter/cli/*.[ch])"
check 'a floor includes what lies below it' "$(
	grep -nE '#include "missent/(engine|desk|link|reader|message)\.h"' milter/policy/*.[ch] milter/record/*.[ch] milter/ledger/*.[ch] milter/spool/*.[ch] milter/mta/*.[ch] milter/accounts/*.[ch] \
		milter/audit/*.[ch] milter/directory/*.[ch] milter/store/*.[ch]
	grep -nE '#include "missent/(desk|link|accounts)\.h"' milter/engine/*.[ch] milter/daemon/*.[ch]
	grep -nE '#include "missent/(engine|desk|directory|reader)\.h"' milter/review/*.[ch])"
check 'each library has one home' "$(
	grep -ln 'pcre2.h' -r milter | grep -v '^milter/base/'
	grep -ln 'confuse.h' -r milter | grep -v '^milter/config/'
	grep -ln 'gmime/' -r milter | grep -v '^milter/message/'
	grep -lnE '<(poppler|cairo|archive|expat|gsf/)' -r milter | grep -v '^milter/extract/'
	grep -ln '<openssl/' -r milter | grep -v '^milter/extract/\|^milter/store/redis_tls.c'
	grep -ln 'tesseract/\|leptonica/' -r milter | grep -v '^milter/reader/ocr.c'
	grep -ln 'hiredis\|sqlite3.h' -r milter | grep -v '^milter/store/'
	grep -ln 'curl/' -r milter | grep -vE '^milter/mta/(submit|hook)\.c'
	grep -ln 'microhttpd.h' -r milter | grep -v '^milter/review/'
	grep -ln '<sodium.h>' -r milter | grep -v '^milter/base/'
	grep -ln 'mfapi.h' -r milter | grep -v '^milter/daemon/'
	grep -ln 'idn2.h' -r milter | grep -v '^milter/kind/')"
check 'no banned calls' "$(grep -nE '[^a-z_](strcat|sprintf|gets|system|popen|tmpnam|strtok|alloca)\(' \
	-r milter --include='*.[ch]')"
check 'only front doors and base log' "$(grep -ln 'ms_log(' -r milter | grep -vE '^milter/(daemon|agent|review|cli|base)/')"

# Every setting is in its manual page, and the pages have no mistakes.
settings() { grep -v MS_ROW_SECTION "$1" | sed -n 's/^	{\.key = "\([a-z-]*\)".*/\1/p; s/^	ON("\([a-z-]*\)".*/on-\1/p'; }
missing=
for key in $(settings milter/config/settings.c); do
	grep -q "It Cm $key\b" milter/config/missent.conf.5 || missing="$missing missent.conf.5:$key"
done
for key in $(settings milter/policy/policy.c) $(settings milter/kind/kind.c); do
	grep -q "It Cm $key\b" milter/policy/missent-policy.5 || missing="$missing missent-policy.5:$key"
done
check 'every setting is in its manual page' "$missing"
if command -v mandoc >/dev/null; then
	check 'manual pages are well-formed' "$(mandoc -T lint -W warning milter/*/*.[1578] 2>&1)"
else
	n=$((n + 1))
	echo "ok $n - manual pages are well-formed # SKIP mandoc is not installed"
fi
check 'no function is longer than 100 lines' "$(awk '
	FNR == 1 { start = 0 } /^\{/ { start = FNR }
	/^\}/ && start { if (FNR - start > 100) print FILENAME ":" start; start = 0 }' $(find milter -name '*.c'))"
# What the page says in English, it says in each other language; no translation is left over.
check 'every word of the page is translated' "$("${PYTHON:-python3}" milter/review/words.py --check .)"
