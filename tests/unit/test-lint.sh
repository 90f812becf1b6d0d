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
echo 1..25

# A folder includes what lies below it in its wing, or on the common floor: milter/FLOORS.
check 'a floor includes what lies below it' "$("${PYTHON:-python3}" contrib/floors check)"
check 'the reading wing parses, the judging wing does not' "$(grep -nE 'gmime|poppler|<archive' \
	-r milter --include='*.[ch]' | grep -vE '^milter/((message|extract|reader)/|maillog/source\.c)')"
# The check itself: what one line more would break is found.
check 'each breach of the floors is found' "$(
	t=$(mktemp -d) && mkdir $t/milter $t/include && cp -r include/missent $t/include/ && cp milter/FLOORS $t/milter/
	for breach in base/a:desk config/a:kind kind/a:message filter/a:reading reading/a:extract wire/a:reader \
		extract/a:message message/a:detect detect/a:worker reader/a:reader message/a:ledger \
		store/a:directory record/a:ledger policy/a:engine ledger/a:desk spool/a:store client/a:worker \
		client/a:extract accounts/a:ledger mta/a:link engine/a:mta desk/a:message \
		daemon/a:desk daemon/a:link review/a:engine review/a:directory agent/a:engine agent/a:nobody \
		release/a:record cli/a:accounts.sql; do
		part=${breach%%/*} header=${breach#*:} n=$((n + 1))
		mkdir -p $t/milter/$part
		printf '#include "missent/%s.h"\n' $header >$t/milter/$part/a$n.c
		[ $header = accounts.sql ] && printf '#include "../store/store.h"\n' >$t/milter/$part/a$n.c
		echo "milter/$part/a$n.c:1: $breach" >>$t/breaches
	done
	SOURCE=$t "${PYTHON:-python3}" contrib/floors check >$t/said
	while read -r where breach; do
		grep -q "^$where " $t/said || echo "$breach"
	done <$t/breaches
	rm $t/milter/*/a[0-9]*.c
	echo '#include "missent/desk.h"' >>$t/include/missent/text.h
	touch $t/include/missent/orphan.h
	mkdir $t/milter/attic && touch $t/milter/attic/a.c
	SOURCE=$t "${PYTHON:-python3}" contrib/floors check >$t/said
	for want in 'include/missent/text.h:.* base (common) may not include missent/desk.h' \
		'include/missent/orphan.h: belongs to no part' 'milter/attic/a.c: milter/attic is not in'; do
		grep -q "$want" $t/said || echo "$want"
	done
	rm -r $t)"
# A verb is a row of a table (verb.h), not a string: of these letters are only that table, the acts, what the page
# shows, and the words of other tables (the queue helper's, the directory's, people's, a format's).  "agree" is
# also the name of a request, and the API has addresses.
verbs=$(sed -n 's/^	\[MS_VERB_[A-Z_]*\] = {"\([a-z-]*\)".*/\1/p' milter/record/verb.c |
	grep -vx 'unknown\|agree' | tr '\n' '|')
check 'no verb is known by its letters' "$(grep -nE "\"(${verbs%|})\"" -r milter --include='*.[ch]' |
	grep -vE '^milter/(record/verb\.c|audit/event\.c|review/text\.c|release/|extract/|reading/|(cli|review)/(login|review)\.c|directory/|explain/search\.c|cli/(directory|audit)\.c|review/api\.c:[0-9]*:.{"POST"|review/[a-z]*\.c:[0-9]*:.*[ {]W\("[a-z ]*"\)})')"
# Before anything else, so that who opens it knows what it is for.
check 'each source begins with what comes in and what goes out' "$(find milter tests \( -name '*.c' -o -name '*.cc' \) \
	! -name '*.inc.c' -exec awk 'FNR == 1 && !/^[/][*]/ { print FILENAME } { nextfile }' {} +)"
check 'each source says whose thread it is' "$(find milter \( -name '*.c' -o -name '*.cc' \) ! -name '*.inc.c' -exec awk '
	function judge() { if (file != "" && tolower(head) !~ /thread|pure function|no state|constants/) print file }
	FNR == 1 { judge(); file = FILENAME; head = ""; over = 0 }
	over { next }
	{ line = $0; sub(/^ [*] */, "", line); head = head " " line; over = index($0, "*/") > 0 }
	END { judge() }' {} +)"
# Sources alone: what was built may lie beside them.
holding() { grep -l "$@" -r milter --include='*.[ch]' --include='*.cc'; }
check 'each library has one home' "$(
	holding 'pcre2.h' | grep -v '^milter/base/'
	holding 'confuse.h' | grep -v '^milter/config/'
	holding 'gmime/' | grep -v '^milter/message/'
	holding -E '<(poppler|cairo|archive|expat|gsf/)' | grep -v '^milter/extract/\|^milter/maillog/source.c'
	holding '<openssl/' | grep -v '^milter/extract/\|^milter/store/\(redis_tls\|certificate\).c\|^milter/base/sign.c'
	holding 'tesseract/\|leptonica/' | grep -v '^milter/reader/ocr.c'
	holding 'hiredis\|sqlite3.h' | grep -v '^milter/store/'
	holding 'curl/' | grep -v '^milter/mta/curl.h'
	holding 'dlopen(' | grep -v '^milter/base/late.c'
	holding 'microhttpd.h' | grep -vE '^milter/(review/|agent/metrics\.c)'
	holding '<sodium.h>' | grep -v '^milter/base/'
	holding 'mfapi.h' | grep -v '^milter/daemon/'
	holding 'idn2.h' | grep -v '^milter/kind/')"
check 'no banned calls' "$(grep -nE '[^a-z_](strcat|sprintf|gets|system|popen|tmpnam|strtok|alloca)\(' \
	-r milter --include='*.[ch]')"
# A compiler leaves out what it sees nobody read again; explicit_bzero() it does not.
check 'no key is overwritten by what may be left out' "$(grep -nE 'memset\([^,]*(key|secret|password)[^,]*, 0,' \
	-r milter --include='*.[ch]')"
check 'only front doors and base log' "$(holding 'ms_log(' | grep -vE '^milter/(daemon|agent|review|cli|base)/')"

# What stands there is done twice where it is the greater one.
check 'no argument of MAX() and its like does anything' "$(grep -nE '[^A-Z_](MAX|MIN|CLAMP|ABS)\([^;]*(\+\+|--[a-z]|[a-z]--|\b(p?read|recv|p?write|send)\()' \
	-r milter --include='*.[ch]' --include='*.cc')"

# Every setting is in its manual page, and the pages have no mistakes.
settings() { grep -v MS_ROW_SECTION "$1" | sed -n 's/^	{\.key = "\([a-z-]*\)".*/\1/p; s/^	ASKS("\([a-z-]*\)".*/\1/p; s/^	ON("\([a-z-]*\)".*/on-\1/p'; }
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
# As who reads them on a terminal of 80 columns, and lintian, sees them: a table that is wider is cut up.
if command -v man >/dev/null && command -v groff >/dev/null; then
	check 'manual pages fit into 80 columns' "$(for page in milter/*/*.[1578]; do
		LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | sed "s,^,$page: ,"
	done)"
else
	n=$((n + 1))
	echo "ok $n - manual pages fit into 80 columns # SKIP man or groff is not installed"
fi
# mdoc(7)'s order; sections of a page's own stand after its description.
check 'manual pages have their sections in the order of all manuals' "$(awk '
	BEGIN {
		first = split("NAME|SYNOPSIS|DESCRIPTION", name, "|")
		for (i = 1; i <= first; i++) place[name[i]] = i
		n = split("ENVIRONMENT|FILES|EXIT STATUS|EXAMPLES|DIAGNOSTICS|SEE ALSO|STANDARDS|HISTORY|AUTHORS|CAVEATS|BUGS",
			name, "|")
		for (i = 1; i <= n; i++) place[name[i]] = first + 1 + i
	}
	FNR == 1 { last = 0 }
	sub(/^\.Sh /, "") {
		this = $0 in place ? place[$0] : first + 1
		if (this < last) print FILENAME ":" FNR ": " $0
		last = this
	}' milter/*/*.[1578])"
check 'no function is longer than 100 lines' "$(awk '
	FNR == 1 { start = 0 } /^\{/ { start = FNR }
	/^\}/ && start { if (FNR - start > 100) print FILENAME ":" start; start = 0 }' $(find milter -name '*.c'))"
# A tab counts as eight; a text that stands in quotes is not broken.
check 'no line is over 100 columns' "$(awk '
	{ line = $0; gsub(/\t/, "        ", line) }
	length(line) > 100 && (!/"/ || /^[ \t]*(\/\*| \*)/) && !/^ \*  / { print FILENAME ":" FNR }' \
	$(find milter include tests/unit tests/fuzz -name '*.[ch]'))"
check 'no list of the makefiles has a file twice' "$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' Makefile.am tests/Makefile.inc |
	awk '$2 ~ /=$/ { split("", seen); for (i = 3; i <= NF; i++) if ($i ~ /\.[a-z]+$/ && seen[$i]++) print $1 ": " $i }')"
# What the tool ends with, its page has: the numbers of sysexits.h beside the page's.
statuses() {
	exits=$(awk '/^\.Sh EXIT STATUS/ { on = 1; next } /^\.Bl/ { on = 0 } on' milter/cli/missent.1)
	printf '%s\n' 'OK 0' 'USAGE 64' 'DATAERR 65' 'NOINPUT 66' 'NOUSER 67' 'NOHOST 68' 'UNAVAILABLE 69' 'SOFTWARE 70' \
		'OSERR 71' 'OSFILE 72' 'CANTCREAT 73' 'IOERR 74' 'TEMPFAIL 75' 'PROTOCOL 76' 'NOPERM 77' 'CONFIG 78' |
	while read -r name number; do
		used=$(grep -lw "EX_$name" milter/cli/*.c | head -1)
		said=$(printf '%s' "$exits" | grep -cw "$number")
		[ -z "$used" ] || [ "$said" -gt 0 ] || echo "$used: EX_$name, $number, is not in missent(1)"
		[ -n "$used" ] || [ "$said" = 0 ] || [ "$number" = 70 ] || echo "missent(1): $number is no status of the tool"
	done
}
check 'exit statuses of the tool are those of its page' "$(statuses)"
# A build without assertions must do the same.
check 'no assertion does what is needed' "$(grep -rnE 'g_assert\(ms_[a-z_]+\([^)]*(&|error)' milter --include='*.c')"
check 'what HACKING names is there' "$(grep -oE '`[a-z]+/[A-Za-z0-9_./-]+`' contrib/HACKING.md | tr -d '`' | sort -u |
	while read -r path; do [ -e "$path" ] || echo "$path"; done)"
# A comment outlives what it speaks of: files of ours, functions and types that it names.
named() { "${PYTHON:-python3}" - "$@" <<'END'
import glob, os, re, sys
os.chdir(sys.argv[1])
texts = {f: open(f, encoding="utf-8").read() for f in sorted(
    glob.glob("include/missent/*.h") + glob.glob("milter/*/*.[ch]") + glob.glob("milter/*/*.cc"))}
comment = re.compile(r"/\*.*?\*/", re.S)
code = set(re.findall(r"\w+", " ".join(comment.sub("", t) for t in texts.values())))
files = {os.path.basename(f) for f in glob.glob("milter/*/*")}
files |= {m for f in ["Makefile.am"] for m in re.findall(r"(\w+\.(?:c|cc|h|inc))\b", open(f).read())}
for name, text in texts.items():
    for said in comment.findall(text):
        for file in re.findall(r"\b[a-z]\w*\.(?:c|cc|h|inc|py)\b", said):
            if file not in files and not os.path.exists("include/missent/" + file):
                print(name + ": " + file)
        for word in re.findall(r"\b(?:ms_\w+|Ms[A-Z]\w+)\b", said):
            if word not in code:
                print(name + ": " + word)
END
}
check 'what a comment names is there' "$(named .)"
check 'the check itself: what is not there is found' "$(
	t=$(mktemp -d) && mkdir -p $t/include/missent $t/milter/base && touch $t/Makefile.am
	echo '/* ms_gone() of MsGone, in gone.c; ms_here(), here.c */ int ms_here(void);' >$t/milter/base/here.c
	[ "$(named $t | tr '\n' ' ')" = 'milter/base/here.c: gone.c milter/base/here.c: ms_gone milter/base/here.c: MsGone ' ] ||
		named $t
	rm -r $t)"
# Of two a program gets the one that its linker meets first.
check 'no two functions of one name' "$(nm -g --defined-only "$BUILD/libfloor.a" "$BUILD/libreading.a" "$BUILD/libjudging.a" |
	awk '$2 ~ /[TDBR]/ { print $3 }' | sort | uniq -d)"
# What the page says in English, it says in each other language; no translation is left over.
check 'every word of the page is translated' "$("${PYTHON:-python3}" milter/review/words.py --check .)"
